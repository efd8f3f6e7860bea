import type { Congestion, Flow } from "./congestion/congestion.ts";
import type { Rtt } from "./rtt.ts";
import type { SendBuffer } from "./send-buffer.ts";
import { ahead, next } from "./sequence.ts";

/** Paths that lose less need nothing twice: a share of what was sent. */
const LOSSY = 1 / 1000;
/** After so many packets it is known which they are; until then all may be. */
const UNTRIED = 5_000;
/** There is room for packets that are sent twice while no more than this share of a round trip is on its way. */
const LITTLE = 1 / 8;
/** Between a packet and its like: whatever took the one should be over, µs. */
const ECHO_AFTER = 3_000;

/** Which packets are sent once more although nobody asked for them (`twice` of UdtSettings). Times µs. */
export class Echoes {
  readonly #wanted: boolean;
  readonly #buffer: SendBuffer;
  readonly #flow: Flow;
  readonly #congestion: Congestion;
  readonly #rtt: Rtt;
  /** Packets that were lost and have been repeated: each is sent once more, since all that follow wait for it. */
  readonly #repaired: { readonly seq: number; readonly at: number }[] = [];
  /** The next packet that has not been sent once more. */
  #next: number;

  /** `wanted`: false, and there are none. */
  constructor(wanted: boolean, buffer: SendBuffer, flow: Flow, congestion: Congestion, rtt: Rtt) {
    this.#wanted = wanted;
    this.#buffer = buffer;
    this.#flow = flow;
    this.#congestion = congestion;
    this.#rtt = rtt;
    this.#next = buffer.first;
  }

  /** `seq`, which was lost, leaves again. */
  repaired(seq: number, now: number): void {
    if (this.#wanted) this.#repaired.push({ seq, at: now + ECHO_AFTER });
  }

  /** Is one due that goes before all that is new? */
  isUrgent(now: number): boolean {
    for (;;) {
      const oldest = this.#repaired[0];
      if (oldest === undefined) return false;
      if (ahead(oldest.seq, this.#buffer.first) >= 0) return now >= oldest.at;
      this.#repaired.shift(); // it has arrived
    }
  }

  /** The packet that is due; -1: none is. */
  take(now: number): number {
    const repaired = this.isUrgent(now) ? this.#repaired.shift() : undefined;
    let seq = repaired?.seq ?? -1;
    if (seq < 0) {
      if (now < this.#dueAt) return -1;
      seq = this.#next;
      this.#next = next(seq);
    }
    return now < this.#buffer.expires(seq) ? seq : -1;
  }

  get wakeAt(): number {
    return this.#wanted ? Math.min(this.#dueAt, this.#repaired[0]?.at ?? Infinity) : Infinity;
  }

  /** When one goes that was not lost: nothing waits, and it was sent just now. */
  get #dueAt(): number {
    const buffer = this.#buffer;
    const { sent, lost, inFlight } = this.#flow;
    if (!this.#wanted || (sent > UNTRIED && lost < sent * LOSSY)) return Infinity;
    if (inFlight * this.#congestion.period > this.#rtt.least * LITTLE) return Infinity;
    if (ahead(this.#next, buffer.first) < 0) this.#next = buffer.first;
    if (ahead(this.#next, buffer.fresh) >= 0 || buffer.unsent > 0) return Infinity;
    return buffer.sentAt(this.#next) + ECHO_AFTER;
  }
}
