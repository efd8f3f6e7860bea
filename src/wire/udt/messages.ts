import { copy } from "./copy.ts";
import { MESSAGE_MASK, ORDERED, Part, partOf } from "./packet.ts";
import { type ReceiveBuffer, Slot } from "./receive-buffer.ts";
import { ahead, next, shift } from "./sequence.ts";

/** Messages that wait for their reader out of turn; when more do, they wait for their turn. */
const READY = 1024;

/** Reads whole messages from a buffer of packets: in their turn, or before it if they may. */
export class Messages {
  readonly #buffer: ReceiveBuffer;
  /** First packets of messages that are complete before their turn, a ring. */
  readonly #ready = new Int32Array(READY);
  #readyFrom = 0;
  #readyTo = 0;

  constructor(buffer: ReceiveBuffer) {
    this.#buffer = buffer;
  }

  /** `seq` arrived, and something before it is missing. `end` is beyond all that arrived. */
  arrived(seq: number, end: number): void {
    const buffer = this.#buffer;
    const info = buffer.info(seq);
    if ((info & ORDERED) !== 0 || this.#readyTo - this.#readyFrom === READY) return;
    const last = this.#last(seq, end);
    if (last < 0) return;
    let first = seq;
    while ((partOf(buffer.info(first)) & Part.first) === 0) {
      if (first === buffer.first) return;
      first = shift(first, -1);
      if (!this.#belongs(first, info)) return;
    }
    this.#ready[this.#readyTo++ % READY] = first;
  }

  /** Size of the next message, or -1. `gap` is the first packet that is missing, `end` beyond all that arrived. */
  size(gap: number, end: number): number {
    const first = this.#next(gap, end);
    if (first < 0) return -1;
    let size = 0;
    for (let seq = first; ; seq = next(seq)) {
      size += this.#buffer.lengthOf(seq);
      if ((partOf(this.#buffer.info(seq)) & Part.last) !== 0) return size;
    }
  }

  /** Reads the next message: its length (what is beyond `max` is lost), or -1. */
  read(out: Uint8Array, at: number, max: number, gap: number, end: number): number {
    const first = this.#next(gap, end);
    if (first < 0) return -1;
    const buffer = this.#buffer;
    let done = 0;
    for (let seq = first; ; seq = next(seq)) {
      const n = Math.min(buffer.lengthOf(seq), max - done);
      copy(buffer.slab, buffer.at(seq), buffer.at(seq) + n, out, at + done);
      done += n;
      const isLast = (partOf(buffer.info(seq)) & Part.last) !== 0;
      buffer.take(seq, end);
      if (isLast) break;
    }
    this.#advance(gap);
    return done;
  }

  /** Gives up what is held of `message` in `first` to `last`, which the sender has dropped. */
  drop(first: number, last: number, end: number): void {
    for (let seq = first; ahead(last, seq) >= 0; seq = next(seq)) this.#buffer.take(seq, end);
  }

  #next(gap: number, end: number): number {
    this.#advance(gap);
    const buffer = this.#buffer;
    if (buffer.first !== gap && this.#last(buffer.first, gap) >= 0) return buffer.first;
    for (; this.#readyFrom < this.#readyTo; this.#readyFrom++) {
      const first = this.#ready[this.#readyFrom % READY]!;
      const waits = ahead(first, buffer.first) >= 0 && ahead(end, first) > 0;
      if (!waits || buffer.state(first) !== Slot.held) continue;
      if ((partOf(buffer.info(first)) & Part.first) !== 0 && this.#last(first, end) >= 0)
        return first;
    }
    return -1;
  }

  /** Frees what was taken, and what can never be a message: pieces with no beginning, or too many for the buffer. */
  #advance(gap: number): void {
    const buffer = this.#buffer;
    while (buffer.first !== gap) {
      if (buffer.state(buffer.first) === Slot.held) {
        const begins = (partOf(buffer.info(buffer.first)) & Part.first) !== 0;
        if (begins && !this.#torn(gap)) {
          if (ahead(gap, buffer.first) < buffer.most || this.#last(buffer.first, gap) >= 0) return;
        }
      }
      buffer.free();
    }
  }

  /** True: before `gap`, the message at the start is followed by another without having ended. */
  #torn(gap: number): boolean {
    const buffer = this.#buffer;
    const info = buffer.info(buffer.first);
    let seq = buffer.first;
    while ((partOf(buffer.info(seq)) & Part.last) === 0) {
      seq = next(seq);
      if (seq === gap) return false;
      if (!this.#belongs(seq, info) || (partOf(buffer.info(seq)) & Part.first) !== 0) return true;
    }
    return false;
  }

  /** The last packet of the message that `seq` is in, if all of it from `seq` on is there before `end`; or -1. */
  #last(seq: number, end: number): number {
    const info = this.#buffer.info(seq);
    let last = seq;
    while ((partOf(this.#buffer.info(last)) & Part.last) === 0) {
      last = next(last);
      if (last === end || !this.#belongs(last, info)) return -1;
    }
    return last;
  }

  #belongs(seq: number, info: number): boolean {
    const same = ((this.#buffer.info(seq) ^ info) & MESSAGE_MASK) === 0;
    return same && this.#buffer.state(seq) === Slot.held;
  }
}
