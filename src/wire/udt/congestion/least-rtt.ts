import type { Flow } from "./congestion.ts";

/** Near to the least is as good, by this share of it: on a path of many hops none is the same twice. */
const NEAR = 0.05;
/** It is believed for so long, µs, then less is sent for a while to see it again. */
const MEMORY = 10_000_000;
const LOOK = 200_000;

/** The least round trip: what the path takes without a queue. It is looked for again, since paths change. */
export class LeastRtt {
  #least = Infinity;
  #seenAt = 0;
  /** Of the look that is or was last: until when, µs, and what it has seen. */
  #lookUntil = -Infinity;
  #lookLeast = Infinity;

  /** µs; until one was measured, what the flow begins with. */
  of(flow: Flow): number {
    return this.#least === Infinity ? flow.rtt : this.#least;
  }

  /** A round trip was measured, µs. */
  take(sample: number, now: number): void {
    this.#lookLeast = Math.min(this.#lookLeast, sample);
    if (sample > this.#least * (1 + NEAR)) return;
    this.#least = Math.min(this.#least, sample);
    this.#seenAt = now;
  }

  /** It was not seen for so long that it may be another by now. */
  isOld(now: number): boolean {
    return now - this.#seenAt > MEMORY;
  }
  get lookUntil(): number {
    return this.#lookUntil;
  }

  /** From now on, and until `lookUntil`, less is on its way. */
  look(flow: Flow): void {
    this.#lookUntil = flow.now + Math.max(LOOK, flow.rtt) + flow.rtt;
    this.#lookLeast = Infinity;
  }

  /** The look is over: what it saw is the least now. */
  looked(now: number): void {
    if (this.#lookLeast !== Infinity) this.#least = this.#lookLeast;
    this.#seenAt = now;
  }
}
