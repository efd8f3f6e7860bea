import { readFileSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";

import { whyUnread } from "../../config/read-text.ts";
import type { Closable } from "../../core/lease.ts";
import { parseName } from "../../wire/dns/name.ts";
import type { ZoneProblem } from "../../wire/dns/zone-scan.ts";
import { Journal } from "./transfer/journal.ts";
import { inTurns } from "./turns.ts";
import { keepBackup, readBackup } from "./zone-backup.ts";
import type { Signer } from "./zone/signing/signer.ts";
import { type Built, loadZoneInTurns } from "./zone/zone-builder.ts";
import type { Zone } from "./zone/zone.ts";

/** A zone as its file had it at some time. */
export interface ZoneVersion {
  /** Undefined: it has never been whole. */
  readonly zone: Zone | undefined;
  /** When it was read, in milliseconds since 1970. */
  readonly loadedAt: number;
  /** Milliseconds that took. */
  readonly tookMs: number;
  /** What is wrong with the file as it is now: `zone` is then of before. */
  readonly problems: readonly ZoneProblem[];
  readonly warnings: readonly ZoneProblem[];
}

/** Records of a zone, signatures and all. */
export function recordCount({ store, hashed }: Zone): number {
  let count = 0;
  for (const one of [store, hashed])
    for (let set = 0; set < one.sets; set++) count += one.count(set) + one.signatures(set);
  return count;
}

/** Which version of a file it was: any write changes it. */
interface Stamp {
  readonly path: string;
  readonly is: string;
}

/** `zones/net.zone:7:3: expected ...`. */
export function showZoneProblem({ file, line, column, message }: ZoneProblem): string {
  return `${file}:${line}:${column}: ${message}`;
}

export interface ZoneFileParts {
  /** The zone's name. */
  readonly name: string;
  readonly path: string;
  /** Milliseconds since 1970. */
  readonly wall: () => number;
  /** Where its last whole version is kept; undefined: nowhere. */
  readonly backup?: string;
  /** Whether it is us who keeps it there. */
  readonly keeps?: boolean;
  /** It could not be kept. */
  readonly trouble?: (error: unknown) => void;
  /** Signs the zone as it is asked: the one `before`, unless there are other keys. */
  readonly signer?: (before: Signer | undefined) => Promise<Signer>;
}

/**
 * One zone's file and what was last read from it. Leased under its name, so that a reload reads
 * only what has changed; a broken file leaves the version before in force, be it of the process
 * before this one.
 */
export class ZoneFile implements Closable {
  /** The serial that other servers were told of. */
  announced: number | undefined;
  /** How its versions differ. */
  readonly journal = new Journal();
  readonly #parts: ZoneFileParts;
  readonly #origin: Uint8Array;
  #signer: Signer | undefined;
  #journaled = false;
  #stamps: readonly Stamp[] = [];
  #version: ZoneVersion | undefined;

  constructor(parts: ZoneFileParts) {
    this.#parts = parts;
    this.#origin = parseName(parts.name.replace(/\.?$/, ".")) as Uint8Array; // the schema has read it
  }

  /**
   * The zone as its file has it now. Never rejects for what is in it. `journaled`: somebody may
   * ask how it differs from the version before.
   */
  async latest(journaled = false): Promise<ZoneVersion> {
    this.#journaled ||= journaled; // for one of several servers
    const before = this.#version;
    const { backup, keeps, signer, trouble = () => {}, wall } = this.#parts;
    const signs = await signer?.(this.#signer);
    const sameKeys = signs === this.#signer;
    this.#signer = signs;
    if (
      before !== undefined &&
      sameKeys &&
      this.#stamps.every(({ path, is }) => stampOf(path) === is)
    )
      return before;
    const began = performance.now();
    const stamps: Stamp[] = [];
    const texts = new Map<string, Uint8Array>();
    const loaded = await this.#load((path) => {
      stamps.push({ path, is: stampOf(path) });
      const bytes = readText(path);
      texts.set(path, bytes);
      return bytes;
    });
    this.#stamps = stamps;
    const version = { loadedAt: wall(), tookMs: Math.round(performance.now() - began) };
    if (loaded.ok) {
      const { zone, warnings } = loaded;
      if (before?.zone !== undefined && this.#journaled)
        await inTurns(this.journal.follow(before.zone, zone));
      if (backup !== undefined && keeps) keepBackup(backup, texts).catch(trouble);
      return (this.#version = { zone, ...version, problems: [], warnings });
    }
    const { problems } = loaded;
    const old = before ?? { zone: await this.#backup(), ...version, warnings: [] };
    return (this.#version = { ...old, problems });
  }

  async #load(text: (path: string) => Uint8Array): Promise<Built> {
    const { path } = this.#parts;
    let whole: Uint8Array;
    try {
      whole = text(path);
    } catch (error) {
      const { message } = error as Error;
      return { ok: false, problems: [{ file: path, line: 1, column: 1, message }] };
    }
    const include = (name: string, from: string): Uint8Array => text(resolve(dirname(from), name));
    const source = { file: path, origin: this.#origin, include };
    return inTurns(loadZoneInTurns(whole, source, this.#signer));
  }

  async #backup(): Promise<Zone | undefined> {
    const { backup } = this.#parts;
    const texts = backup === undefined ? undefined : await readBackup(backup);
    if (texts === undefined) return undefined;
    // The first is the zone's own, wherever it was then.
    const [whole] = texts.values();
    const loaded = await this.#load((path) => {
      const bytes = path === this.#parts.path ? whole : texts.get(path);
      if (bytes === undefined) throw new Error("was not kept");
      return bytes;
    });
    return loaded.ok ? loaded.zone : undefined;
  }

  async close(): Promise<void> {}
}

function stampOf(path: string): string {
  const is = statSync(path, { throwIfNoEntry: false, bigint: true });
  return is === undefined ? "" : `${is.dev} ${is.ino} ${is.size} ${is.mtimeNs}`;
}

/** Throws Error with a reason for people. */
function readText(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new Error(`cannot be read: ${whyUnread(error)}`, { cause: error });
  }
}
