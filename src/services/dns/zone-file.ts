import { readFileSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";

import type { Closable } from "../../core/lease.ts";
import { parseName } from "../../wire/dns/name.ts";
import type { ZoneProblem } from "../../wire/dns/zone-scan.ts";
import { loadZone } from "./zone/zone-builder.ts";
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

/**
 * One zone's file and what was last read from it. Leased under its name, so that a reload reads
 * only what has changed; a broken file leaves the version before in force.
 */
export class ZoneFile implements Closable {
  readonly #path: string;
  readonly #origin: Uint8Array;
  readonly #wall: () => number;
  #stamps: readonly Stamp[] = [];
  #version: ZoneVersion | undefined;

  /** `name` is the zone's; `wall` milliseconds since 1970. */
  constructor(name: string, path: string, wall: () => number) {
    this.#path = path;
    this.#origin = parseName(name.replace(/\.?$/, ".")) as Uint8Array; // the schema has read it
    this.#wall = wall;
  }

  /** The zone as its file has it now. Never throws for what is in it. */
  latest(): ZoneVersion {
    const before = this.#version;
    if (before !== undefined && this.#stamps.every(({ path, is }) => stampOf(path) === is))
      return before;
    const began = performance.now();
    const read: Stamp[] = [];
    const text = (path: string): Uint8Array => {
      read.push({ path, is: stampOf(path) });
      return readText(path);
    };
    const loaded = this.#load(text);
    const tookMs = Math.round(performance.now() - began);
    this.#stamps = read;
    const now = { loadedAt: this.#wall(), tookMs };
    return (this.#version = loaded.ok
      ? { zone: loaded.zone, ...now, problems: [], warnings: loaded.warnings }
      : { ...(before ?? { zone: undefined, ...now, warnings: [] }), problems: loaded.problems });
  }

  #load(text: (path: string) => Uint8Array): ReturnType<typeof loadZone> {
    const path = this.#path;
    let whole: Uint8Array;
    try {
      whole = text(path);
    } catch (error) {
      const { message } = error as Error;
      return { ok: false, problems: [{ file: path, line: 1, column: 1, message }] };
    }
    return loadZone(whole, {
      file: path,
      origin: this.#origin,
      include: (name, from) => text(resolve(dirname(from), name)),
    });
  }

  async close(): Promise<void> {}
}

function stampOf(path: string): string {
  const is = statSync(path, { throwIfNoEntry: false, bigint: true });
  return is === undefined ? "" : `${is.dev} ${is.ino} ${is.size} ${is.mtimeNs}`;
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "no such file",
  EACCES: "permission denied",
  EISDIR: "it is a directory",
};

/** Throws Error with a reason for people. */
function readText(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    throw new Error(`cannot be read: ${REASONS[code] ?? code}`, { cause: error });
  }
}
