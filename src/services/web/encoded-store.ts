/**
 * Compressed files kept on disk, so that a restart need not make them again (3xsd's gzip shelf).
 * One file per path and coding:
 *
 *     magic 8 | bytes of the label, u32 LE | label: JSON | the compressed bytes
 *
 * The label says what it was made from; when the original has changed, it does not match, and the
 * next one made takes its place. Files are written aside, synced and renamed: a crash leaves the
 * old one, the new one or none, and what was left aside is swept. Workers share the directory.
 */
import { createHash, randomUUID } from "node:crypto";
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { mkdir, readdir, rename, rm, stat, unlink, utimes } from "node:fs/promises";
import { join } from "node:path";

import type { Coding } from "../../wire/http/encoding.ts";
import { AsideFile } from "./aside-file.ts";
import type { Sink } from "./compress.ts";

const MAGIC = Buffer.from("ternenc1", "latin1");
const PREFIX = MAGIC.length + 4;
const ASIDE = ".part";
/** Files aside that old belong to a writer that is gone. */
const ABANDONED_MS = 60 * 60_000;
/** A use is noted in the file's mtime when the last note is older. */
const NOTE_MS = 60 * 60_000;
/** A sweep is due when this part of the budget has been written since the last. */
const SWEEP_SHARE = 1 / 16;

export interface Stored {
  readonly fd: number;
  /** Where the compressed bytes begin, and how many they are. */
  readonly offset: number;
  readonly length: number;
  close(): void;
}

export interface StoreDeps {
  /** Milliseconds since 1970. */
  readonly wall: () => number;
  readonly trouble: (error: unknown) => void;
}

export class EncodedStore {
  readonly #directory: string;
  readonly #budget: number;
  readonly #deps: StoreDeps;
  #bytes = 0;
  #unswept = 0;
  #work = new Set<Promise<void>>();
  #sweeping: Promise<void> | undefined;
  #closed = false;

  private constructor(directory: string, budget: number, deps: StoreDeps) {
    this.#directory = directory;
    this.#budget = budget;
    this.#deps = deps;
  }

  /** `directory` is made when missing; what is too much in it is removed soon. `budget` in bytes. */
  static async open(directory: string, budget: number, deps: StoreDeps): Promise<EncodedStore> {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const store = new EncodedStore(directory, budget, deps);
    store.#track(store.sweep());
    return store;
  }

  /** Bytes on disk, as of the last sweep and what this worker has written since. */
  get bytes(): number {
    return this.#bytes;
  }

  /** What was kept for this very state of a file. Its `fd` is the caller's. */
  find(path: string, identity: string, coding: Coding): Stored | undefined {
    const file = this.#fileOf(path, coding);
    let fd: number;
    try {
      fd = openSync(file, "r");
    } catch {
      return undefined; // never made, or swept
    }
    const found = read(fd, labelOf(path, identity, coding));
    if (!found) closeSync(fd);
    else if (this.#deps.wall() - found.mtimeMs > NOTE_MS) {
      const now = this.#deps.wall() / 1000;
      this.#track(utimes(file, now, now));
    }
    return found && { fd, offset: found.offset, length: found.length, close: () => closeSync(fd) };
  }

  /** Keep `bytes`; returns at once. */
  keep(path: string, identity: string, coding: Coding, bytes: Uint8Array): void {
    const sink = this.begin(path, identity, coding);
    if (sink) this.#track(sink.write(bytes).then(() => sink.commit()));
  }

  /** Keep what is written to the sink, once it is committed. The sink never fails; at worst nothing is kept. */
  begin(path: string, identity: string, coding: Coding): Sink | undefined {
    if (this.#closed) return undefined;
    const aside = join(this.#directory, `${randomUUID()}${ASIDE}`);
    const label = Buffer.from(labelOf(path, identity, coding));
    const prefix = Buffer.alloc(PREFIX);
    MAGIC.copy(prefix);
    prefix.writeUInt32LE(label.length, MAGIC.length);
    return new AsideFile(aside, Buffer.concat([prefix, label]), {
      max: this.#budget * SWEEP_SHARE,
      trouble: this.#deps.trouble,
      done: async (bytes) => {
        await rename(aside, this.#fileOf(path, coding));
        this.#bytes += bytes;
        this.#unswept += bytes;
        if (this.#unswept > this.#budget * SWEEP_SHARE) this.#track(this.sweep());
      },
    });
  }

  /** Remove what is over the budget, the longest unused first, and what dead writers left aside. */
  sweep(): Promise<void> {
    this.#sweeping ??= this.#sweep().finally(() => (this.#sweeping = undefined));
    return this.#sweeping;
  }

  /** Remove everything. */
  async purge(): Promise<void> {
    await Promise.all(this.#work);
    for (const name of await readdir(this.#directory))
      if (!name.endsWith(ASIDE)) await rm(join(this.#directory, name), { force: true });
    this.#bytes = 0;
  }

  /** Finish what is being written. */
  async close(): Promise<void> {
    this.#closed = true;
    while (this.#work.size > 0) await Promise.all(this.#work);
  }

  async #sweep(): Promise<void> {
    this.#unswept = 0;
    const now = this.#deps.wall();
    const kept: { file: string; bytes: number; usedAt: number }[] = [];
    let bytes = 0;
    for (const name of await readdir(this.#directory)) {
      const file = join(this.#directory, name);
      const stats = await stat(file).catch(() => undefined);
      if (!stats?.isFile()) continue;
      if (!name.endsWith(ASIDE)) {
        kept.push({ file, bytes: stats.size, usedAt: stats.mtimeMs });
        bytes += stats.size;
      } else if (now - stats.mtimeMs > ABANDONED_MS) await rm(file, { force: true });
    }
    kept.sort((a, b) => a.usedAt - b.usedAt);
    // Room for what all workers write until their next sweeps.
    const target = this.#budget * (1 - SWEEP_SHARE * 2);
    for (const one of kept) {
      if (bytes <= target) break;
      await unlink(one.file).catch(() => {}); // another worker's sweep was faster
      bytes -= one.bytes;
    }
    this.#bytes = bytes;
  }

  #fileOf(path: string, coding: Coding): string {
    const name = createHash("sha256").update(path).digest("hex").slice(0, 40);
    return join(this.#directory, `${name}.${coding}`);
  }

  #track(work: Promise<void>): void {
    const tracked = work.catch(this.#deps.trouble).finally(() => this.#work.delete(tracked));
    this.#work.add(tracked);
  }
}

function labelOf(path: string, identity: string, coding: Coding): string {
  return JSON.stringify({ path, identity, coding });
}

/** Offset and length of the bytes behind the label, when the label is this one. */
function read(
  fd: number,
  label: string,
): { offset: number; length: number; mtimeMs: number } | undefined {
  const want = Buffer.from(label);
  const head = Buffer.alloc(PREFIX + want.length);
  if (readSync(fd, head, 0, head.length, 0) !== head.length) return undefined;
  if (!head.subarray(0, MAGIC.length).equals(MAGIC)) return undefined;
  if (head.readUInt32LE(MAGIC.length) !== want.length) return undefined;
  if (!head.subarray(PREFIX).equals(want)) return undefined;
  const { mtimeMs, size } = fstatSync(fd);
  return { offset: head.length, length: size - head.length, mtimeMs };
}
