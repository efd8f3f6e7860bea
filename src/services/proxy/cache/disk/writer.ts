import { closeSync } from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";

import type { Rules } from "../../../../wire/http/caching/stored.ts";
import { type Entry, type Name, placeOf, type Sent } from "../entry.ts";
import { Beside } from "./beside.ts";
import { Hands } from "./hands.ts";
import { noteOf, openIfThere } from "./note.ts";
import { fileOf } from "./place.ts";
import { emitFork, emitResponse, type ForkNote, parse } from "./record.ts";
import { renewFile } from "./renew.ts";
import { Spool } from "./spool.ts";

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

/** A response that waits to be written. */
export interface Waiting {
  readonly name: Name;
  readonly sent: Sent;
  readonly pieces: readonly Uint8Array[];
}

/**
 * Writes responses into the directory: beside, then named; at once or when there is a hand free. It
 * knows when the disk is in trouble.
 */
export class Writer {
  readonly #root: string;
  readonly #parts: DiskParts;
  readonly #beside: Beside;
  readonly #hands = new Hands(AT_ONCE, (error) => this.fault("write", error));
  #waiting = 0;
  /** By place. */
  readonly #soon = new Map<string, Waiting>();
  #pausedUntil = 0;
  #slowUntil = 0;
  written = 0;
  errors = 0;
  dropped = 0;

  constructor(root: string, parts: DiskParts) {
    this.#root = root;
    this.#parts = parts;
    this.#beside = new Beside(root);
  }

  /** Keep a copy, sooner or later, unless there is too much to do or the disk is in trouble: false. */
  put(name: Name, sent: Sent, pieces: readonly Uint8Array[]): boolean {
    let length = 0;
    let crc = 0;
    for (const piece of pieces) {
      length += piece.length;
      crc = crc32(piece, crc);
    }
    const now = this.#parts.wall();
    if (now < this.#pausedUntil || this.#waiting + length > MOST_WAITING || this.#full) {
      this.dropped++;
      return false;
    }
    const head = emitResponse(name, sent, { length, crc });
    if (length <= QUICK && now >= this.#slowUntil && this.#hands.idle)
      return this.#writeNow(name, [head, ...pieces], sent.asked);
    this.#waiting += length;
    const place = placeOf(name);
    const soon = { name, sent, pieces };
    this.#soon.set(place, soon);
    this.#hands.later(async () => {
      try {
        await this.#write(name, [head, ...pieces], sent.asked);
      } finally {
        this.#waiting -= length;
        if (this.#soon.get(place) === soon) this.#soon.delete(place);
      }
    });
    return true;
  }

  /** What is not in its file yet, but will be: memory may have let go of it already. */
  soon(place: string): Waiting | undefined {
    return this.#soon.get(place);
  }

  /** Nobody is to find it before it is written. */
  forget(place: string): void {
    this.#soon.delete(place);
  }

  get #full(): boolean {
    return this.#hands.waiting >= MOST_QUEUED;
  }

  /** Write a long body while it comes; undefined when the disk is in trouble. */
  spool(name: Name, sent: Sent, moved: () => void): Spool | undefined {
    if (this.#parts.wall() < this.#pausedUntil) return undefined;
    const bodyAt = emitResponse(name, sent, { length: 0, crc: 0 }).length;
    const failed = (error: unknown): void => this.fault("write", error);
    try {
      return new Spool({ beside: this.#beside.path(), bodyAt, moved, failed });
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
      spool.commit(head, join(this.#root, place));
      this.#count(place, head.length + length, sent.asked);
      return true;
    } catch (error) {
      spool.abandon();
      this.fault("write", error);
      return false;
    }
  }

  /** What is stored of it is brought up to date; where there is no room for that, it goes. */
  renew(entry: Entry): void {
    if (this.#full) return;
    this.#hands.later(() => renewFile(join(this.#root, fileOf(entry.place)), entry));
  }

  /** Something went wrong: for a while nothing is written. */
  fault(what: string, error: unknown): void {
    this.errors++;
    this.#pausedUntil = this.#parts.wall() + PAUSE_MS;
    this.#parts.failed(what, error);
  }

  #writeNow(name: Name, pieces: readonly Uint8Array[], asked: number): boolean {
    const began = this.#parts.wall();
    let done = true;
    try {
      this.#fork(name, asked);
      this.#fileNow(fileOf(placeOf(name)), pieces, asked);
    } catch (error) {
      done = false;
      this.fault("write", error);
    }
    const now = this.#parts.wall();
    if (now - began > SLOW_MS) this.#slowUntil = now + SLOW_FOR_MS;
    return done;
  }

  async #write(name: Name, pieces: readonly Uint8Array[], asked: number): Promise<void> {
    this.#fork(name, asked);
    const place = fileOf(placeOf(name));
    this.#count(place, await this.#beside.file(place, pieces), asked);
  }

  /** Say at the URL that its responses vary, unless it is said already. */
  #fork({ key, names }: Name, since: number): void {
    if (names.length === 0 || this.#forkAt(key)?.names.join() === names.join()) return;
    this.#fileNow(fileOf(key), [emitFork({ key, names, since })], since);
  }

  #forkAt(key: string): ForkNote | undefined {
    const fd = openIfThere(join(this.#root, fileOf(key)));
    if (fd === undefined) return undefined;
    try {
      const record = parse(noteOf(fd));
      return record?.kind === "fork" && record.key === key ? record : undefined;
    } finally {
      closeSync(fd);
    }
  }

  #fileNow(name: string, pieces: readonly Uint8Array[], asked: number): void {
    this.#count(name, this.#beside.fileNow(name, pieces), asked);
  }

  #count(name: string, bytes: number, asked: number): void {
    this.written++;
    this.#parts.ledger.written(name, bytes, asked);
  }

  /** Resolves when all that waited has been written, or given up. */
  async settled(): Promise<void> {
    while (!this.#hands.idle) await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
