import { closeSync, fstatSync, read as readAsync, readSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";

import { shorten } from "../../../../core/shorten.ts";
import { type RequestField, varyKey } from "../../../../wire/http/caching/vary.ts";
import { Entry, placeOf } from "../entry.ts";
import { InFile, inPieces } from "../kept.ts";
import { noteOf, openIfThere } from "./note.ts";
import { fileOf } from "./place.ts";
import { type ForkNote, parse, type Response } from "./record.ts";
import { type DiskParts, Writer } from "./writer.ts";

/** Bodies up to this size are read at once; larger ones are sent from their file. */
export const SMALL = 1024 * 1024;
/** A larger body is checked piece by piece, so that others get their turn. */
const STEP = 1024 * 1024;
/** Large files known to be whole; beyond it they are checked again. */
const MOST_CHECKED = 10_000;
const KEPT = 0.9;

/**
 * Responses in a directory that all workers share, one file for each: written beside, then named,
 * so that there is never half of one; and checked when it is read, since a disk may lie.
 */
export class Disk {
  readonly root: string;
  readonly writer: Writer;
  readonly #parts: DiskParts;
  /** Files of large bodies that were read and found whole, by name: which file it was. */
  readonly #checked = new Map<string, string>();
  hits = 0;
  broken = 0;

  /** `root`: made by `makeDirectories`. */
  constructor(root: string, parts: DiskParts) {
    this.root = root;
    this.#parts = parts;
    this.writer = new Writer(root, parts);
  }

  /** The response for a request; "variant" when there are only others of its URL. Held by the caller. */
  find(key: string, field: RequestField): Found | Promise<Found> {
    try {
      const first = this.#read(key);
      if (first === undefined || first instanceof Promise || first instanceof Entry) return first;
      const { names, since } = first;
      const place = placeOf({ key, names, variant: varyKey(names, field) });
      const entry = this.#read(place);
      if (entry instanceof Promise) return entry.then((one) => newer(one, since));
      return newer(entry instanceof Entry ? entry : undefined, since);
    } catch (error) {
      this.writer.fault("read", error);
      return undefined;
    }
  }

  /** A file is in use. */
  used(name: string): void {
    this.#parts.ledger.used(name);
  }

  /** Forget what is at a place. */
  remove(place: string): void {
    this.writer.forget(place);
    this.#unlink(fileOf(place));
  }

  #read(place: string): Entry | ForkNote | undefined | Promise<Entry | undefined> {
    const soon = this.writer.soon(place);
    if (soon !== undefined) {
      this.hits++;
      return new Entry(soon.name, soon.sent, inPieces(soon.pieces), this.#parts.rules);
    }
    const name = fileOf(place);
    const fd = openIfThere(join(this.root, name));
    if (fd === undefined) return undefined;
    let keep = false;
    try {
      const bytes = noteOf(fd);
      const record = parse(bytes);
      if (record === undefined) return this.#bad(name);
      if (record.kind === "fork") {
        if (record.key !== place) return undefined;
        this.#parts.ledger.used(name);
        return record;
      }
      if (placeOf(record.name) !== place) return undefined; // of the same hash
      if (record.body.length <= SMALL) return this.#small(name, record, bytes, fd);
      const large = this.#large(name, record, fd);
      keep = large !== undefined; // it has the file now
      return large;
    } finally {
      if (!keep) closeSync(fd);
    }
  }

  #small(name: string, record: Response, bytes: Buffer, fd: number): Entry | undefined {
    const { at, length, crc } = record.body;
    const body = new Uint8Array(new ArrayBuffer(length));
    const here = Math.min(length, bytes.length - at);
    body.set(bytes.subarray(at, at + here));
    for (let done = here; done < length;) {
      const n = readSync(fd, body, done, length - done, at + done);
      if (n === 0) return this.#bad(name);
      done += n;
    }
    if (crc32(body) !== crc) return this.#bad(name);
    const entry = new Entry(record.name, record.sent, inPieces([body]), this.#parts.rules);
    entry.filed = { path: join(this.root, name), name, note: record.note, body: record.body };
    return this.#hit(name, entry);
  }

  /** A body that is sent from its file: the first time all of it is read, to be sure of it. */
  #large(
    name: string,
    record: Response,
    fd: number,
  ): Entry | undefined | Promise<Entry | undefined> {
    const { size, ino, mtimeMs } = fstatSync(fd);
    const { at, length } = record.body;
    if (size !== at + length) return this.#bad(name);
    const identity = `${ino}:${size}:${mtimeMs}`;
    const entry = (): Entry => {
      const body = new InFile(fd, at, length);
      return this.#hit(name, new Entry(record.name, record.sent, body, this.#parts.rules));
    };
    if (this.#checked.get(name) === identity) return entry();
    return this.#check(record, fd).then((whole) => {
      if (!whole) {
        closeSync(fd);
        return this.#bad(name);
      }
      this.#checked.set(name, identity);
      if (this.#checked.size > MOST_CHECKED) shorten(this.#checked, MOST_CHECKED * KEPT);
      return entry();
    });
  }

  async #check({ body: { at, length, crc } }: Response, fd: number): Promise<boolean> {
    try {
      const step = new Uint8Array(new ArrayBuffer(STEP));
      let sum = 0;
      for (let done = 0; done < length;) {
        const n = await readSome(fd, step, Math.min(STEP, length - done), at + done);
        if (n === 0) return false;
        sum = crc32(step.subarray(0, n), sum);
        done += n;
      }
      return sum === crc;
    } catch (error) {
      this.writer.fault("read", error);
      return false;
    }
  }

  #hit(name: string, entry: Entry): Entry {
    this.hits++;
    this.#parts.ledger.used(name);
    return entry;
  }

  /** It is not what was written: nobody is to find it again. */
  #bad(name: string): undefined {
    this.broken++;
    this.#unlink(name);
    return undefined;
  }

  #unlink(name: string): void {
    try {
      unlinkSync(join(this.root, name));
      this.#parts.ledger.removed(name);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") this.writer.fault("remove", error);
    }
  }
}

/** What is found on disk. */
export type Found = Entry | "variant" | undefined;

function newer(entry: Entry | undefined, since: number): Found {
  return entry !== undefined && entry.asked >= since ? entry : "variant";
}

function readSome(fd: number, into: Uint8Array, length: number, position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    readAsync(fd, into, 0, length, position, (error, n) => (error ? reject(error) : resolve(n)));
  });
}
