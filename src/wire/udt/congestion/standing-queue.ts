/** So many rounds in a row say that it stands: once may have been a machine that was busy. */
export const STANDING_ROUNDS = 2;
/** 10 ms of queue at 100 Mbit/s, 100 ms at 1 Mbit/s. */
const TOLERANCE = 920_000;
const LEAST_TOLERANCE = 10_000;
/** µs. */
const NOISE = 4_000;

/** The queue on the path, as the nearest packet of each round to the least round trip tells it. */
export class StandingQueue {
  /** Of the round before, µs. */
  length = 0;
  /** In so many rounds in a row it was longer than we let it be. */
  rounds = 0;
  #least = Infinity;

  get stands(): boolean {
    return this.rounds >= STANDING_ROUNDS;
  }

  /** A round trip was measured, µs. */
  take(sample: number): void {
    this.#least = Math.min(this.#least, sample);
  }

  /**
   * A round is over; `base` is the least round trip, µs, `rate` packets per second. `probed`: a queue in it may be
   * what we tried, and says nothing.
   */
  round(base: number, rate: number, probed: boolean): void {
    this.length = this.#least === Infinity ? 0 : this.#least - base;
    this.rounds = !probed && this.length > tolerance(base, rate) ? this.rounds + 1 : 0;
    this.#least = Infinity;
  }
}

/**
 * The queue that we let stand, µs: the more is ours, the less. All who share a queue see the same one, so those
 * who have more than others yield first, and all come to have the same.
 */
function tolerance(base: number, rate: number): number {
  const ours = TOLERANCE / Math.sqrt(Math.max(1, rate));
  return Math.max(LEAST_TOLERANCE, Math.min(ours, base / 2 + NOISE));
}
