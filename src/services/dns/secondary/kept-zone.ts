import { createHash } from "node:crypto";
import { statSync } from "node:fs";
import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { basename, join } from "node:path";

import * as v from "valibot";

import { replaceFile } from "../../../sys/durable.ts";

/** File names may have 255 bytes: a longer zone's is told by its digest. */
const LONGEST_NAME = 150;
const NOTE = ".json";
const CALL = ".notify";
const RECORDS = ".records";
/** A file of records; no label is as long as a digest, so that it is no other zone's. */
const VERSION = /^(.*)\.[0-9a-f]{64}\.records$/;

const note = v.strictObject({
  /** When a primary last said that this is what it has. Milliseconds since 1970. */
  checkedAt: v.pipe(v.number(), v.minValue(0)),
  /** SHA-256 of the records: which version of the zone it is about. */
  digest: v.string(),
  /** Who it came from. */
  primary: v.string(),
  /** When it came. */
  takenAt: v.pipe(v.number(), v.minValue(0)),
});

/** What is known of a kept zone besides its records. */
export type Note = v.InferOutput<typeof note>;

/**
 * Where a zone of others is kept, for the next start and for the other workers: the records of each
 * version in a file of their own, packed, and a note that says which of these is the zone. The note
 * is replaced last, so that there is the old version or the new one, whatever happens in between.
 */
export class KeptZone {
  readonly #directory: string;
  readonly #file: string;

  /** `directory` is made when it is first needed; `name` the zone's. */
  constructor(directory: string, name: string) {
    const escaped = encodeURIComponent(name);
    this.#directory = directory;
    this.#file = escaped.length > LONGEST_NAME ? digestOf(Buffer.from(name)) : escaped;
  }

  /** Changes whenever the note does. */
  get stamp(): string {
    return stampOf(this.#path(NOTE));
  }

  /** Changes whenever somebody has called. */
  get callStamp(): string {
    return stampOf(this.#path(CALL));
  }

  /** Undefined when there is none that can be read. */
  async readNote(): Promise<Note | undefined> {
    try {
      return v.parse(note, JSON.parse(await readFile(this.#path(NOTE), "utf8")));
    } catch {
      return undefined;
    }
  }

  /** The packed records that `digest` is of; undefined when they are not there, or not those. */
  async readRecords(digest: string): Promise<Uint8Array | undefined> {
    try {
      const packed = new Uint8Array(await readFile(this.#path(`.${digest}${RECORDS}`)));
      return digestOf(packed) === digest ? packed : undefined;
    } catch {
      return undefined;
    }
  }

  /** Keep a new version, whose digest is the note's. Throws Error when the disk does not. */
  async keep(packed: Uint8Array, about: Note): Promise<void> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    await replaceFile(this.#path(`.${about.digest}${RECORDS}`), packed);
    await this.confirm(about);
    await this.#sweep(about.digest);
  }

  /** Keep the note of a version that is kept already. Throws Error when the disk does not. */
  async confirm(about: Note): Promise<void> {
    await replaceFile(this.#path(NOTE), `${JSON.stringify(about)}\n`);
  }

  /** Ask the worker that fetches to look at the primaries. Throws Error when the disk does not. */
  async call(): Promise<void> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    await replaceFile(this.#path(CALL), "");
  }

  /** Remove the records of all other versions, those a crash has left too. */
  async #sweep(digest: string): Promise<void> {
    const kept = basename(this.#path(`.${digest}${RECORDS}`));
    for (const name of await readdir(this.#directory)) {
      const [, file] = VERSION.exec(name) ?? [];
      if (file === this.#file && name !== kept) await rm(join(this.#directory, name));
    }
  }

  #path(end: string): string {
    return join(this.#directory, this.#file + end);
  }
}

/** The digest of packed records that their note has. */
export function digestOf(packed: Uint8Array): string {
  return createHash("sha256").update(packed).digest("hex");
}

function stampOf(path: string): string {
  const is = statSync(path, { throwIfNoEntry: false, bigint: true });
  return is === undefined ? "" : `${is.dev} ${is.ino} ${is.size} ${is.mtimeNs}`;
}
