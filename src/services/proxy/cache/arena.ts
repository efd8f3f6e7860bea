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

  /** A copy of `front`, and of the pieces one behind the other; undefined when there is no room. */
  store(front: Uint8Array, pieces: readonly Uint8Array[]): Held | undefined {
    let length = 0;
    for (const piece of pieces) length += piece.length;
    if (this.#closed) return undefined;
    const chain = this.chunks.take(Math.max(1, chunksFor(front.length + length)));
    if (chain === undefined) return undefined;
    const held = new Held(this, chain, front.length, length);
    held.write(-front.length, front);
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

/** How many chunks so many bytes take. */
export function chunksFor(bytes: number): number {
  return Math.ceil(bytes / CHUNK);
}

/** Bytes kept in an arena, as long as somebody holds them: whoever stored them does. */
export class Held {
  /** Without what is in front of them. */
  readonly length: number;
  readonly front: number;
  readonly #arena: Arena;
  readonly #first: number;
  readonly #last: number;
  /** Chunks; 0 when they have been given back. */
  #count: number;
  #users = 1;

  constructor(arena: Arena, { first, last, count }: Chain, front: number, length: number) {
    this.#arena = arena;
    this.#first = first;
    this.#last = last;
    this.#count = count;
    this.front = front;
    this.length = length;
  }

  get kind(): "memory" {
    return "memory";
  }

  /** Bytes of memory it takes. */
  get weight(): number {
    return this.#count * CHUNK;
  }

  /** Copy its bytes [from, to) to `into`, from `at` on. What is in front is before 0. */
  read(from: number, to: number, into: Uint8Array, at: number): void {
    this.#check(from, to);
    const { region } = this.#arena;
    for (let done = from; done < to;) {
      const length = this.#locate(done, to);
      region.read(found.offset, length, into, at + done - from);
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
      region.write(found.offset, bytes, done - at, done - at + length);
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
    if (this.#count === 0 || from < -this.front || to > this.length)
      throw new RangeError(`bytes ${from} to ${to} of ${this.length} held`);
  }

  /** Find where [at, to) begins: `found.offset`. Answers for how long: neighbours are one run. */
  #locate(at: number, to: number): number {
    const { chunks } = this.#arena;
    const place = this.front + at;
    let chunk = this.#first;
    let before = 0;
    if (found.held === this && found.before * CHUNK <= place) {
      chunk = found.chunk;
      before = found.before;
    }
    for (; (before + 1) * CHUNK <= place; before++) chunk = chunks.after(chunk);
    const skipped = place - before * CHUNK;
    let length = CHUNK - skipped;
    found.offset = chunk * CHUNK + skipped;
    for (; length < to - at && chunks.after(chunk) === chunk + 1; length += CHUNK) {
      chunk++;
      before++;
    }
    found.held = this;
    found.chunk = chunk;
    found.before = before;
    return Math.min(length, to - at);
  }
}

/** The run that was found last, in this thread: reading mostly goes on from there. */
const found: { held: Held | undefined; offset: number; chunk: number; before: number } = {
  held: undefined,
  offset: 0,
  chunk: 0,
  before: 0,
};
