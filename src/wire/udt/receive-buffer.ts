import { copy } from "./copy.ts";
import { HEADER } from "./packet.ts";
import { ahead, next, shift } from "./sequence.ts";

/** Slots at first; they double while more is wanted, up to what the connection may have. */
const FIRST_SLOTS = 64;

/** What a slot holds. taken: its message was read or given up before its turn. */
export const Slot = { empty: 0, held: 1, taken: 2 } as const;

/**
 * What arrived and was not read yet, one slot for each packet. The payloads of neighbours lie side by side, so a
 * run of full packets is one piece of bytes.
 */
export class ReceiveBuffer {
  readonly #payload: number;
  readonly #most: number;
  #mask = FIRST_SLOTS - 1;
  #slab: Uint8Array;
  #length = new Uint16Array(FIRST_SLOTS);
  #info = new Uint32Array(FIRST_SLOTS);
  #state = new Uint8Array(FIRST_SLOTS);
  /** The first packet that was not read, and how much of it was. */
  first: number;
  #read = 0;

  /** `most` is a power of two. */
  constructor(initial: number, payload: number, most: number) {
    this.#payload = payload;
    this.#most = most;
    this.#slab = new Uint8Array(new ArrayBuffer(FIRST_SLOTS * payload));
    this.first = initial;
  }

  get most(): number {
    return this.#most;
  }
  get slab(): Uint8Array {
    return this.#slab;
  }

  /** Keeps the payload of a datagram. `seq` is less than `most` ahead of `first`; `end` is beyond all that is held. */
  put(seq: number, info: number, bytes: Uint8Array, from: number, to: number, end: number): void {
    while (ahead(seq, this.first) > this.#mask) this.#grow(end);
    const slot = seq & this.#mask;
    copy(bytes, from + HEADER, to, this.#slab, slot * this.#payload);
    this.#length[slot] = to - from - HEADER;
    this.#info[slot] = info;
    this.#state[slot] = Slot.held;
  }

  state(seq: number): number {
    return this.#state[seq & this.#mask]!;
  }
  /** A packet that will never be read: it makes no gap. */
  take(seq: number, end: number): void {
    while (ahead(seq, this.first) > this.#mask) this.#grow(end);
    this.#state[seq & this.#mask] = Slot.taken;
  }
  info(seq: number): number {
    return this.#info[seq & this.#mask]!;
  }
  lengthOf(seq: number): number {
    return this.#length[seq & this.#mask]!;
  }
  /** Where the payload of `seq` is in `slab`. */
  at(seq: number): number {
    return (seq & this.#mask) * this.#payload;
  }

  /** Where the bytes to be read next are in `slab`. */
  get from(): number {
    return this.at(this.first) + this.#read;
  }
  /** How many of them are in one piece, of the packets before `end`; looks no further than `enough` bytes. */
  run(end: number, enough: number): number {
    if (this.first === end) return 0;
    let seq = this.first;
    let bytes = this.lengthOf(seq) - this.#read;
    while (bytes < enough && this.lengthOf(seq) === this.#payload) {
      seq = next(seq);
      if (seq === end || (seq & this.#mask) === 0) break;
      bytes += this.lengthOf(seq);
    }
    return bytes;
  }
  /** The first `count` bytes were read; they are there. */
  skip(count: number): void {
    let left = count;
    while (left > 0) {
      const rest = this.lengthOf(this.first) - this.#read;
      if (left < rest) {
        this.#read += left;
        return;
      }
      left -= rest;
      this.#read = 0;
      this.free();
    }
  }
  /** The first packet is done with. */
  free(): void {
    this.#state[this.first & this.#mask] = Slot.empty;
    this.first = next(this.first);
  }

  #grow(end: number): void {
    const old = { mask: this.#mask, slab: this.#slab, length: this.#length };
    const { info, state } = { info: this.#info, state: this.#state };
    const slots = (old.mask + 1) * 2;
    const p = this.#payload;
    this.#mask = slots - 1;
    this.#slab = new Uint8Array(new ArrayBuffer(slots * p));
    this.#length = new Uint16Array(slots);
    this.#info = new Uint32Array(slots);
    this.#state = new Uint8Array(slots);
    const held = Math.min(ahead(end, this.first), old.mask + 1);
    for (let i = 0; i < held; i++) {
      const seq = shift(this.first, i);
      const a = seq & old.mask;
      const b = seq & this.#mask;
      copy(old.slab, a * p, (a + 1) * p, this.#slab, b * p);
      this.#length[b] = old.length[a]!;
      this.#info[b] = info[a]!;
      this.#state[b] = state[a]!;
    }
  }
}
