import { copy } from "./copy.ts";
import { HEADER, messageWord, Part, putWord, word } from "./packet.ts";
import { ahead, next, nextMessage, shift } from "./sequence.ts";

/** Slots at first; they double while more is wanted, up to what the connection may have. */
const FIRST_SLOTS = 64;

/**
 * What was given to be sent and is not acknowledged yet, one slot for each packet: its header and payload in a
 * slab, the rest in columns. A packet has its sequence number, and so its slot, from the moment it is put in.
 *
 *      first ── sent ── fresh ── not sent yet ── end
 */
export class SendBuffer {
  readonly #payload: number;
  readonly #most: number;
  #mask = FIRST_SLOTS - 1;
  #slab: Uint8Array;
  #length = new Uint16Array(FIRST_SLOTS);
  #sentAt = new Float64Array(FIRST_SLOTS);
  #expires = new Float64Array(FIRST_SLOTS);
  #state = new Uint8Array(FIRST_SLOTS);
  #message = 1;
  /** The oldest packet that is not acknowledged. */
  first: number;
  /** The next packet to be sent for the first time. */
  fresh: number;
  /** The next packet to be put in. */
  end: number;

  /** `most` is a power of two. */
  constructor(initial: number, payload: number, most: number) {
    this.#payload = payload;
    this.#most = most;
    this.#slab = new Uint8Array(new ArrayBuffer(FIRST_SLOTS * (HEADER + payload)));
    this.first = this.fresh = this.end = initial;
  }

  /** Packets in it, and those never sent. */
  get size(): number {
    return ahead(this.end, this.first);
  }
  get unsent(): number {
    return ahead(this.end, this.fresh);
  }
  get room(): number {
    return this.#most - this.size;
  }
  get most(): number {
    return this.#most;
  }

  /** Bytes that `fill` would take. */
  writable(joined: boolean): number {
    const tail = joined && this.unsent > 0 ? this.#payload - this.#length[this.#slot(-1)]! : 0;
    return this.room * this.#payload + tail;
  }

  /** Stream: takes what there is room for. `joined`: the last packet may still grow while it was not sent. */
  fill(bytes: Uint8Array, from: number, to: number, joined: boolean): number {
    let at = from;
    if (joined && this.unsent > 0 && at < to) {
      const slot = this.#slot(-1);
      const length = this.#length[slot]!;
      const n = Math.min(to - at, this.#payload - length);
      if (n > 0) copy(bytes, at, at + n, this.#slab, this.#at(slot) + HEADER + length);
      this.#length[slot] = length + n;
      at += n;
    }
    if (at === to || this.room <= 0) return at - from;
    const whole = Math.min(to, at + this.room * this.#payload);
    this.#put(bytes, at, whole, false, Infinity);
    return whole - from;
  }

  /** A message, which must have room. It is not repeated after `expires`. */
  message(bytes: Uint8Array, ordered: boolean, expires: number): void {
    this.#put(bytes, 0, bytes.length, ordered, expires);
  }

  /** Copies the datagram of `seq`, all but its time and destination, and says its length. */
  copyTo(seq: number, out: Uint8Array, at: number): number {
    const slot = seq & this.#mask;
    const length = HEADER + this.#length[slot]!;
    const start = this.#at(slot);
    copy(this.#slab, start, start + length, out, at);
    return length;
  }

  /** When it was sent last; 0: never. */
  sentAt(seq: number): number {
    return this.#sentAt[seq & this.#mask]!;
  }
  markSent(seq: number, now: number): void {
    this.#sentAt[seq & this.#mask] = now;
  }
  /** True: it was reported lost at some time, so an acknowledgement does not say which copy arrived. */
  wasLost(seq: number): boolean {
    return this.#state[seq & this.#mask] !== 0;
  }
  markLost(seq: number): void {
    this.#state[seq & this.#mask] = 1;
  }
  expires(seq: number): number {
    return this.#expires[seq & this.#mask]!;
  }
  /** It is too old, and that was said. */
  expire(seq: number): void {
    this.#expires[seq & this.#mask] = -Infinity;
  }
  /** The second word of the header: part, order and number of the message. */
  info(seq: number): number {
    return word(this.#slab, this.#at(seq & this.#mask) + 4);
  }

  #put(bytes: Uint8Array, from: number, to: number, ordered: boolean, expires: number): void {
    const packets = Math.ceil((to - from) / this.#payload);
    while (this.#mask + 1 < this.size + packets) this.#grow();
    for (let i = 0; i < packets; i++) {
      const slot = this.end & this.#mask;
      const at = this.#at(slot);
      const start = from + i * this.#payload;
      const length = Math.min(this.#payload, to - start);
      const part = (i === 0 ? Part.first : 0) | (i === packets - 1 ? Part.last : 0);
      putWord(this.#slab, at, this.end);
      putWord(this.#slab, at + 4, messageWord(part as Part, ordered, this.#message));
      copy(bytes, start, start + length, this.#slab, at + HEADER);
      this.#length[slot] = length;
      this.#expires[slot] = expires;
      this.#sentAt[slot] = 0;
      this.#state[slot] = 0;
      this.end = next(this.end);
    }
    this.#message = nextMessage(this.#message);
  }

  #slot(behind: number): number {
    return shift(this.end, behind) & this.#mask;
  }
  #at(slot: number): number {
    return slot * (HEADER + this.#payload);
  }

  #grow(): void {
    const old = this.#mask;
    const stride = HEADER + this.#payload;
    const slots = (old + 1) * 2;
    const from = { slab: this.#slab, length: this.#length, sentAt: this.#sentAt };
    const { expires, state } = { expires: this.#expires, state: this.#state };
    this.#mask = slots - 1;
    this.#slab = new Uint8Array(new ArrayBuffer(slots * stride));
    this.#length = new Uint16Array(slots);
    this.#sentAt = new Float64Array(slots);
    this.#expires = new Float64Array(slots);
    this.#state = new Uint8Array(slots);
    for (let seq = this.first; seq !== this.end; seq = next(seq)) {
      const a = seq & old;
      const b = seq & this.#mask;
      copy(from.slab, a * stride, (a + 1) * stride, this.#slab, b * stride);
      this.#length[b] = from.length[a]!;
      this.#sentAt[b] = from.sentAt[a]!;
      this.#expires[b] = expires[a]!;
      this.#state[b] = state[a]!;
    }
  }
}
