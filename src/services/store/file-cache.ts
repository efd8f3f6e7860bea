/**
 * Small files that were read of late, as they were verified. A file is asked for by its version, which
 * whoever reads has just heard from as many members as meet every acknowledged write: so nothing that
 * is kept here can be too old, whoever writes, on whatever router.
 */
import type { Closable } from "../../core/lease.ts";
import { S3Fifo } from "../../core/s3-fifo.ts";
import type { Name } from "./names.ts";
import { compareStamps, type FileVersion, type Stamp } from "./record.ts";

/** Longer ones would crowd out many. Bytes. */
export const MAX_CACHED = 256 * 1024;
/** What an entry costs besides its bytes and its name, about. */
const OVERHEAD = 300;

interface Kept {
  readonly stamp: Stamp;
  readonly bytes: Uint8Array;
  visits: number;
}

export interface CacheFigures {
  readonly hits: number;
  readonly misses: number;
  readonly files: number;
  readonly bytes: number;
}

export class FileCache implements Closable {
  readonly #kept: S3Fifo<string, Kept>;
  #hits = 0;
  #misses = 0;

  /** `budget` in bytes. */
  constructor(budget: number) {
    this.#kept = new S3Fifo(budget);
  }

  /** All of that version; not to be changed. */
  get(name: Name, version: FileVersion): Uint8Array | undefined {
    if (version.size > MAX_CACHED) return undefined;
    const kept = this.#kept.get(keyOf(name));
    const hit = kept !== undefined && compareStamps(kept.stamp, version.stamp) === 0;
    if (hit) this.#hits++;
    else this.#misses++;
    return hit ? kept.bytes : undefined;
  }

  /** Keep `bytes`, all of that version and verified; they may change later. */
  keep(name: Name, version: FileVersion, bytes: Uint8Array): void {
    if (bytes.length !== version.size || bytes.length > MAX_CACHED) return;
    const key = keyOf(name);
    const kept = { stamp: version.stamp, bytes: new Uint8Array(bytes), visits: 0 };
    this.#kept.set(key, kept, bytes.length + 2 * key.length + OVERHEAD);
  }

  get figures(): CacheFigures {
    const { size: files, bytes } = this.#kept;
    return { hits: this.#hits, misses: this.#misses, files, bytes };
  }

  async close(): Promise<void> {
    this.#kept.clear();
  }
}

function keyOf({ stage, key }: Name): string {
  return `${stage} ${key}`;
}
