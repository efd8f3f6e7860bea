import type { Flow } from "./congestion.ts";

const SECOND = 1_000_000;
/** A measurement takes so long at least, µs. */
export const SPAN = 10_000;
/** Fewer packets say too little, unless it is so long, µs. */
const SPAN_PACKETS = 16;
const LONG_SPAN = 500_000;
/** A peer that tells each 10 ms, and has told nothing for so long, was busy, or had nothing to tell, µs. */
const NOT_LOOKED = 25_000;

/** How long it takes to measure a rate of so many packets per second, µs. */
export function spanAt(rate: number): number {
  return Math.max(SPAN, Math.min((SPAN_PACKETS * SECOND) / rate, LONG_SPAN));
}

/** The rate at which packets arrive at the peer, by its clock: one measurement begins where the other ends. */
export class RateMeter {
  /** What the last measurement said, packets per second, and how long it took, µs. */
  rate = 0;
  span = 0;
  #from = -1;
  #deliveredFrom = 0;
  /** Of the measurement before, if it ended where this one begins. */
  #packetsBefore = 0;
  #spanBefore = 0;
  /** Longest silence of this measurement, and of the one before, µs. */
  #gap = 0;
  #gapBefore = 0;
  #seenAt = -1;

  /** An acknowledgement came. True: with it a measurement is complete, of `share` of a round trip at least. */
  take(flow: Flow, share: number): boolean {
    // A light acknowledgement says how many, not when: with the time of an older one that would be too fast.
    if (flow.deliveredAt === this.#seenAt) return false;
    if (this.#seenAt >= 0) this.#gap = Math.max(this.#gap, flow.deliveredAt - this.#seenAt);
    this.#seenAt = flow.deliveredAt;
    if (this.#from < 0 || flow.deliveredAt < this.#from) {
      this.#begin(flow);
      this.#packetsBefore = this.#spanBefore = this.#gap = 0;
      return false;
    }
    const span = flow.deliveredAt - this.#from;
    const packets = flow.delivered - this.#deliveredFrom;
    if (span < Math.max(SPAN, flow.rtt * share)) return false;
    if (packets < SPAN_PACKETS && span < LONG_SPAN) return false;
    // A machine that did not look for a while has what came meanwhile all at once: that is no faster path.
    const both = ((packets + this.#packetsBefore) * SECOND) / (span + this.#spanBefore);
    const looked = Math.max(this.#gap, this.#gapBefore) < NOT_LOOKED;
    const rate = (packets * SECOND) / span;
    this.rate = looked ? rate : Math.min(rate, both);
    this.span = span;
    this.#packetsBefore = packets;
    this.#spanBefore = span;
    this.#gapBefore = this.#gap;
    this.#gap = 0;
    this.#begin(flow);
    return true;
  }

  /** Nothing was heard for long: what was begun is no measurement. */
  interrupt(): void {
    this.#from = -1;
  }

  #begin(flow: Flow): void {
    this.#from = flow.deliveredAt;
    this.#deliveredFrom = flow.delivered;
  }
}
