import { type Chain, Chunks } from "../../../core/chunks.ts";
import { Region } from "../../../sys/region.ts";

/** What memory is handed out in: half of it is lost with each body, on average. */
export const CHUNK = 512;

/** The memory of a cache: bytes that the garbage collector does not see. */
export class Arena {
  readonly chunks: Chunks;
  readonly #region: Region | undefined;
  #closed = false;

  constructor(bytes: number) {
    this.chunks = new Chunks(Math.floor(bytes / CHUNK));
    if (this.chunks.count > 0) this.#region = new Region(this.chunks.count * CHUNK);
  }

  get region(): Region {
    if (this.#region === undefined) throw new Error("an arena without memory holds nothing");
    return this.#region;
  }

  /** A copy of these bytes, one behind the other; undefined when there is no room for them. */
  store(pieces: readonly Uint8Array[]): Held | undefined {
    let length = 0;
    for (const piece of pieces) length += piece.length;
    if (this.#closed) return undefined;
    const chain = this.chunks.take(Math.max(1, Math.ceil(length / CHUNK)));
    if (chain === undefined) return undefined;
    const held = new Held(this, chain, length);
    let at = 0;
    for (const piece of pieces) {
      held.write(at, piece);
      at += piece.length;
    }
    return held;
  }

  /** Keep nothing more; the memory goes back to the system when all that is held is given back. */
  close(): void {
    this.#closed = true;
    this.emptied();
  }

  /** Something was given back. */
  emptied(): void {
    if (this.#closed && this.chunks.left === this.chunks.count) this.#region?.close();
  }
}

/** Where the run lies that was found last. */
let offset = 0;

/** Bytes kept in an arena, as long as somebody holds them: whoever stored them does. */
export class Held {
  readonly kind = "memory";
  readonly length: number;
  readonly #arena: Arena;
  readonly #first: number;
  readonly #last: number;
  /** Chunks; 0 when they have been given back. */
  #count: number;
  #users = 1;
  /** Where reading went on last: its chunk, and how many are before it. */
  #chunk: number;
  #before = 0;

  constructor(arena: Arena, { first, last, count }: Chain, length: number) {
    this.#arena = arena;
    this.#first = first;
    this.#last = last;
    this.#count = count;
    this.#chunk = first;
    this.length = length;
  }

  /** Bytes of memory it takes. */
  get weight(): number {
    return this.#count * CHUNK;
  }

  /** Copy its bytes [from, to) to `into`, from `at` on. */
  read(from: number, to: number, into: Uint8Array, at: number): void {
    this.#check(from, to);
    const { region } = this.#arena;
    for (let done = from; done < to;) {
      const length = this.#locate(done, to);
      region.read(offset, length, into, at + done - from);
      done += length;
    }
  }

  /** Fill it, from `at` on. */
  write(at: number, bytes: Uint8Array): void {
    const to = at + bytes.length;
    this.#check(at, to);
    const { region } = this.#arena;
    for (let done = at; done < to;) {
      const length = this.#locate(done, to);
      region.write(offset, bytes, done - at, done - at + length);
      done += length;
    }
  }

  /** Its bytes stay until as many `drop`s as `hold`s, and one more. Only while somebody holds it. */
  hold(): void {
    this.#users++;
  }

  drop(): void {
    if (--this.#users > 0) return;
    if (this.#count === 0) throw new Error("given back twice");
    this.#arena.chunks.give({ first: this.#first, last: this.#last, count: this.#count });
    this.#count = 0;
    this.#arena.emptied();
  }

  /** What was given back may be another's bytes by now. */
  #check(from: number, to: number): void {
    if (this.#count === 0 || from < 0 || to > this.length)
      throw new RangeError(`bytes ${from} to ${to} of ${this.length} held`);
  }

  /** Find where [at, to) begins: `offset`. Answers for how long: chunks that follow each other are one run. */
  #locate(at: number, to: number): number {
    const { chunks } = this.#arena;
    if (this.#before * CHUNK > at) {
      this.#chunk = this.#first;
      this.#before = 0;
    }
    for (; (this.#before + 1) * CHUNK <= at; this.#before++)
      this.#chunk = chunks.after(this.#chunk);
    const skipped = at - this.#before * CHUNK;
    let length = CHUNK - skipped;
    offset = this.#chunk * CHUNK + skipped;
    while (length < to - at && chunks.after(this.#chunk) === this.#chunk + 1) {
      this.#chunk++;
      this.#before++;
      length += CHUNK;
    }
    return Math.min(length, to - at);
  }
}
