import type { Delivery } from "./delivery.ts";
import type { LossList } from "./loss-list.ts";
import { Control, HEADER, MESSAGE_MASK, Part, partOf, putControl, putWord } from "./packet.ts";
import type { SendBuffer } from "./send-buffer.ts";
import { ahead, next, shift } from "./sequence.ts";

/** Messages that are too old to be sent (again), and the word to the peer that they will not come. Times µs. */
export class Expiry {
  readonly #buffer: SendBuffer;
  readonly #delivery: Delivery;
  readonly #lost: LossList;
  /** Packets of the message the peer is to be told of; -1: none. */
  #first = -1;
  #last = -1;
  /** Given up so far. */
  messages = 0;

  constructor(buffer: SendBuffer, delivery: Delivery, lost: LossList) {
    this.#buffer = buffer;
    this.#delivery = delivery;
    this.#lost = lost;
  }

  /** There is one that the peer is to be told of before anything else is sent. */
  get isUntold(): boolean {
    return this.#first >= 0;
  }

  /** The message of `seq` is too old: none of its packets will be sent (again). */
  giveUp(seq: number, now: number): void {
    const buffer = this.#buffer;
    let first = seq;
    while (first !== buffer.first && (partOf(buffer.info(first)) & Part.first) === 0)
      first = shift(first, -1);
    let last = seq;
    while ((partOf(buffer.info(last)) & Part.last) === 0 && next(last) !== buffer.end)
      last = next(last);
    if (buffer.expires(last) !== -Infinity) this.messages += 1; // not told again
    for (let i = first; ahead(last, i) >= 0; i = next(i)) {
      this.#lost.remove(i);
      if (buffer.expires(i) !== -Infinity) this.#delivery.gaveUp();
      buffer.expire(i);
      // To be said again when that is lost too, not at once.
      buffer.markSent(i, now);
      if (ahead(i, buffer.fresh) < 0) continue;
      this.#delivery.skipped(i);
      buffer.fresh = next(i);
    }
    this.#first = first;
    this.#last = last;
  }

  /** MSG DROP at `out[at..]`: its length. */
  tell(time: number, to: number, out: Uint8Array, at: number): number {
    const message = this.#buffer.info(this.#first) & MESSAGE_MASK;
    putControl(out, at, Control.drop, message, time, to);
    putWord(out, at + HEADER, this.#first);
    putWord(out, at + HEADER + 4, this.#last);
    this.#first = -1;
    return HEADER + 8;
  }
}
