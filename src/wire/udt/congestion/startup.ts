/** A pipe is full when three rounds bring less than this much more. */
const GROWTH = 1.25;
const FLAT_ROUNDS = 3;
/** A queue grows when no packet of a measurement was this near to the least round trip: a share of it, and µs of noise. */
const QUEUE = 0.2;
const NOISE = 4_000;
/** Longer than another program has the processor while ours wait for it, µs. */
const STALL = 20_000;
/** So many measurements in a row: a machine that was busy once is no queue. */
const QUEUED_SPANS = 3;

/** When a flow that doubles its rate with each round trip is to stop: the path carries no more, or begins to queue. */
export class Startup {
  #spanLeast = Infinity;
  #queuedSpans = 0;
  #fullRate = 0;
  #flatRounds = 0;

  /** A round trip was measured, µs. */
  take(sample: number): void {
    this.#spanLeast = Math.min(this.#spanLeast, sample);
  }

  /**
   * A measurement of the rate is complete; `base` is the least round trip, µs. True: a queue grows. That is known
   * before the round ends, and by then it would overflow. `ours`: so much was on its way that we make the queue.
   */
  isQueued(base: number, ours: boolean): boolean {
    const least = this.#spanLeast;
    this.#spanLeast = Infinity;
    if (least === Infinity || !ours) return false;
    const grows = least - base > Math.max(base * QUEUE + NOISE, STALL);
    this.#queuedSpans = grows ? this.#queuedSpans + 1 : 0;
    return this.#queuedSpans >= QUEUED_SPANS;
  }

  /** A round is over; `rate` is the best so far. True: more brings no more. */
  isFull(rate: number): boolean {
    if (rate >= this.#fullRate * GROWTH) {
      this.#fullRate = rate;
      this.#flatRounds = 0;
    } else this.#flatRounds += 1;
    return this.#flatRounds >= FLAT_ROUNDS;
  }
}
