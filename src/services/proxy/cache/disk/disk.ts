import {
  closeSync,
  fstatSync,
  openSync,
  read as readAsync,
  readSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { open, rename, unlink } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";

import { byName } from "../../../../wire/http/caching/field-list.ts";
import type { Rules } from "../../../../wire/http/caching/stored.ts";
import { type RequestField, varyKey } from "../../../../wire/http/caching/vary.ts";
import { Entry, type Name, placeOf, type Sent } from "../entry.ts";
import { InFile, inPieces } from "../kept.ts";
import { fileOf, NEW } from "./place.ts";
import { bodyAt, emitFork, emitResponse, type ForkNote, parse, type Response } from "./record.ts";
import { Spool } from "./spool.ts";

/** Bodies up to this size are read at once; larger ones are sent from their file. */
export const SMALL = 1024 * 1024;
/** Read first of each file: most are not longer. */
const FIRST = Buffer.alloc(64 * 1024);
/** A larger body is checked piece by piece, so that others get their turn. */
const STEP = 1024 * 1024;
/**
 * Bodies up to this size are written at once: a warm file system takes microseconds, a trip to the
 * thread pool a hundred. A write that took longer than that is a disk that is not keeping up: for a
 * while others wait for it, and this loop does not.
 */
const QUICK = 64 * 1024;
const SLOW_MS = 50;
const SLOW_FOR_MS = 2000;
/** Bytes and responses that may wait to be written; beyond it what comes is not. */
const MOST_WAITING = 32 * 1024 * 1024;
const MOST_QUEUED = 1000;
/** Writes at a time: the runtime's threads are for others too. */
const AT_ONCE = 4;
/** After an error nothing is written for so long: a full disk does not get emptier by asking. */
const PAUSE_MS = 5000;
/** Large files known to be whole; beyond it they are checked again. */
const MOST_CHECKED = 10_000;

/** Whoever keeps the directory within its bounds. Names are `ab/cdef…`. */
export interface Ledger {
  written(name: string, bytes: number, asked: number): void;
  used(name: string): void;
  removed(name: string): void;
}

export interface DiskParts {
  readonly rules: Rules;
  readonly ledger: Ledger;
  readonly wall: () => number;
  /** Something went wrong with the disk; the cache goes on without it. */
  readonly failed: (what: string, error: unknown) => void;
}

/**
 * Responses in a directory that all workers share, one file for each: written beside, then named,
 * so that there is never half of one; and checked when it is read, since a disk may lie.
 */
export class Disk {
  readonly root: string;
  readonly #parts: DiskParts;
  /** Files of large bodies that were read and found whole, by name: which file it was. */
  readonly #checked = new Map<string, string>();
  #waiting = 0;
  #writing = 0;
  readonly #queue: (() => Promise<void>)[] = [];
  #pausedUntil = 0;
  #slowUntil = 0;
  #serial = 0;
  hits = 0;
  written = 0;
  errors = 0;
  broken = 0;
  dropped = 0;

  /** `root`: made by `makeDirectories`. */
  constructor(root: string, parts: DiskParts) {
    this.root = root;
    this.#parts = parts;
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
      this.#fault("read", error);
      return undefined;
    }
  }

  /** Keep a copy, sooner or later, unless there is too much to do or the disk is in trouble. */
  put(name: Name, sent: Sent, pieces: readonly Uint8Array[]): void {
    let length = 0;
    let crc = 0;
    for (const piece of pieces) {
      length += piece.length;
      crc = crc32(piece, crc);
    }
    const now = this.#parts.wall();
    if (now < this.#pausedUntil || this.#waiting + length > MOST_WAITING || this.#full) {
      this.dropped++;
      return;
    }
    const head = emitResponse(name, sent, { length, crc });
    if (length <= QUICK && now >= this.#slowUntil && this.#writing === 0)
      return this.#writeNow(name, [head, ...pieces], sent.asked);
    this.#waiting += length;
    this.#later(async () => {
      try {
        await this.#write(name, [head, ...pieces], sent.asked);
      } finally {
        this.#waiting -= length;
      }
    });
  }

  get #full(): boolean {
    return this.#queue.length >= MOST_QUEUED;
  }

  /** Write a long body while it comes; undefined when the disk is in trouble. */
  spool(name: Name, sent: Sent, moved: () => void): Spool | undefined {
    if (this.#parts.wall() < this.#pausedUntil) return undefined;
    const bodyAt = emitResponse(name, sent, { length: 0, crc: 0 }).length;
    const failed = (error: unknown): void => this.#fault("write", error);
    try {
      return new Spool({ beside: this.#beside(), bodyAt, moved, failed });
    } catch (error) {
      failed(error);
      return undefined;
    }
  }

  /** All of a spooled body is there: from now on it is found. False when it could not be done. */
  commit(name: Name, sent: Sent, spool: Spool, length: number): boolean {
    const place = fileOf(placeOf(name));
    try {
      const head = emitResponse(name, sent, { length, crc: spool.crc });
      this.#fork(name, sent.asked);
      spool.commit(head, join(this.root, place));
      this.written++;
      this.#parts.ledger.written(place, head.length + length, sent.asked);
      return true;
    } catch (error) {
      spool.abandon();
      this.#fault("write", error);
      return false;
    }
  }

  /** What is stored of it is brought up to date; where there is no room for that, it goes. */
  renew(entry: Entry): void {
    if (this.#full) return;
    this.#later(async () => {
      const path = join(this.root, fileOf(entry.place));
      const file = await open(path, "r+").catch(() => undefined); // it is not there any more
      if (file === undefined) return;
      try {
        const before = Buffer.alloc(FIRST.length);
        const { bytesRead } = await file.read(before, 0, before.length, 0);
        const record = parse(before.subarray(0, bytesRead));
        const at = bodyAt(before.subarray(0, bytesRead));
        if (record?.kind !== "response" || at === undefined) return;
        if (!isOf(entry, record)) return; // another worker has put a newer one there
        const { status, fields, asked, came } = entry;
        const bytes = emitResponse(entry, { status, fields, asked, came }, record.body);
        if (bytes.length !== at) {
          await unlink(path);
          return;
        }
        await file.write(bytes, 0, bytes.length, 0);
      } finally {
        await file.close();
      }
    });
  }

  /** Forget what is at a place. */
  remove(place: string): void {
    this.#unlink(fileOf(place));
  }

  #read(place: string): Entry | ForkNote | undefined | Promise<Entry | undefined> {
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
    return this.#hit(
      name,
      new Entry(record.name, record.sent, inPieces([body]), this.#parts.rules),
    );
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
      if (this.#checked.size > MOST_CHECKED) this.#checked.delete(first(this.#checked));
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
      this.#fault("read", error);
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
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") this.#fault("remove", error);
    }
  }

  #writeNow(name: Name, pieces: readonly Uint8Array[], asked: number): void {
    const began = this.#parts.wall();
    try {
      this.#fork(name, asked);
      this.#fileNow(fileOf(placeOf(name)), pieces, asked);
    } catch (error) {
      this.#fault("write", error);
    }
    const now = this.#parts.wall();
    if (now - began > SLOW_MS) this.#slowUntil = now + SLOW_FOR_MS;
  }

  async #write(name: Name, pieces: readonly Uint8Array[], asked: number): Promise<void> {
    this.#fork(name, asked);
    await this.#file(fileOf(placeOf(name)), pieces, asked);
  }

  /** Say at the URL that its responses vary, unless it is said already. */
  #fork({ key, names }: Name, since: number): void {
    if (names.length === 0 || this.#forkAt(key)?.names.join() === names.join()) return;
    this.#fileNow(fileOf(key), [emitFork({ key, names, since })], since);
  }

  #forkAt(key: string): ForkNote | undefined {
    const fd = openIfThere(join(this.root, fileOf(key)));
    if (fd === undefined) return undefined;
    try {
      const record = parse(noteOf(fd));
      return record?.kind === "fork" && record.key === key ? record : undefined;
    } finally {
      closeSync(fd);
    }
  }

  #beside(): string {
    return join(this.root, NEW, `${process.pid}-${this.#serial++}`);
  }

  /** Write a file beside, then give it its name. */
  #fileNow(name: string, pieces: readonly Uint8Array[], asked: number): void {
    const beside = this.#beside();
    const bytes = Buffer.concat(pieces);
    const fd = openSync(beside, "wx", 0o600);
    try {
      try {
        for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at, bytes.length - at);
      } finally {
        closeSync(fd);
      }
      renameSync(beside, join(this.root, name));
    } catch (error) {
      rmSync(beside, { force: true });
      throw error;
    }
    this.written++;
    this.#parts.ledger.written(name, bytes.length, asked);
  }

  /** The same, while others have their turn. */
  async #file(name: string, pieces: readonly Uint8Array[], asked: number): Promise<void> {
    const beside = this.#beside();
    const file = await open(beside, "wx", 0o600);
    let bytes = 0;
    try {
      try {
        for (const piece of pieces) {
          await writeAll(file, piece);
          bytes += piece.length;
        }
      } finally {
        await file.close();
      }
      await rename(beside, join(this.root, name));
    } catch (error) {
      await unlink(beside).catch(() => {}); // renamed or gone: nothing is left of it
      throw error;
    }
    this.written++;
    this.#parts.ledger.written(name, bytes, asked);
  }

  /** Do it when there is a hand free. */
  #later(run: () => Promise<void>): void {
    this.#queue.push(run);
    if (this.#writing < AT_ONCE) void this.#work();
  }

  async #work(): Promise<void> {
    this.#writing++;
    for (let run; (run = this.#queue.shift()) !== undefined;)
      try {
        await run();
      } catch (error) {
        this.#fault("write", error);
      }
    this.#writing--;
  }

  /** Resolves when all that waited has been written, or given up. */
  async settled(): Promise<void> {
    while (this.#writing > 0) await new Promise((resolve) => setTimeout(resolve, 1));
  }

  #fault(what: string, error: unknown): void {
    this.errors++;
    this.#pausedUntil = this.#parts.wall() + PAUSE_MS;
    this.#parts.failed(what, error);
  }
}

/** What is found on disk. */
export type Found = Entry | "variant" | undefined;

/** Has the file of a response the body of `entry`? */
function isOf(entry: Entry, { name, sent, body }: Response): boolean {
  if (placeOf(name) !== entry.place || body.length !== entry.body.length) return false;
  const [ours, theirs] = [byName(entry.fields), byName(sent.fields)];
  return (
    sent.asked <= entry.asked &&
    ["etag", "last-modified"].every((one) => ours.get(one) === theirs.get(one))
  );
}

function newer(entry: Entry | undefined, since: number): Found {
  return entry !== undefined && entry.asked >= since ? entry : "variant";
}

/** The beginning of a file, up to its body at least; good until the next one is read. */
function noteOf(fd: number): Buffer {
  const got = readSync(fd, FIRST, 0, FIRST.length, 0);
  const bytes = FIRST.subarray(0, got);
  const at = bodyAt(bytes);
  if (at === undefined || at <= got) return bytes;
  const more = Buffer.alloc(at);
  return more.subarray(0, readSync(fd, more, 0, at, 0));
}

function openIfThere(path: string): number | undefined {
  try {
    return openSync(path, "r");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

async function writeAll(
  file: { write(bytes: Uint8Array, at: number, length: number): Promise<{ bytesWritten: number }> },
  bytes: Uint8Array,
): Promise<void> {
  for (let at = 0; at < bytes.length;)
    at += (await file.write(bytes, at, bytes.length - at)).bytesWritten;
}

function readSome(fd: number, into: Uint8Array, length: number, position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    readAsync(fd, into, 0, length, position, (error, n) => (error ? reject(error) : resolve(n)));
  });
}

function first<K>(map: ReadonlyMap<K, unknown>): K {
  const [key] = map.keys();
  return key as K; // it is not empty
}
