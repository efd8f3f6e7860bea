/** A round trip at more, then what that queued taken off again, then six as measured. */
const CYCLE = [1.25, 0.75, 1, 1, 1, 1, 1, 1] as const;
/** What the first step brings is known by the end of this one, and is worth another when it is so much more. */
const PROBED = 2;
const GROWTH = 1.15;

/** Now and then a little faster than what is known to fit, to learn whether there is more room. */
export class ProbeCycle {
  #step: number;
  #stepAt = 0;
  /** The rate when the cycle began last. */
  #rateBefore = Infinity;

  /** `seed`: where in its cycle it begins, so that neighbours do not go in step. */
  constructor(seed: number) {
    this.#step = 2 + (seed % (CYCLE.length - 2));
  }

  /** The share of the rate to go at. */
  get gain(): number {
    return CYCLE[this.#step] ?? 1;
  }

  /** The step begins again: something else was done meanwhile. */
  resume(now: number): void {
    this.#stepAt = now;
  }

  /** A step is a `turn` long, µs; shorter when it was to take a queue off, and that is `drained`. */
  isOver(now: number, turn: number, drained: boolean): boolean {
    return now - this.#stepAt >= turn || (this.gain < 1 && drained);
  }

  /** On to the next step. `rate`: the best of late, packets per second; `free`: no queue is longer than it may be. */
  step(now: number, rate: number, free: boolean): void {
    // More brought more: the start was over too early, or there is more room now. So at once more again.
    const probed = this.#step > 0 && this.#step <= PROBED;
    const grew = probed && rate >= this.#rateBefore * GROWTH;
    this.#step = grew && free ? 0 : (this.#step + 1) % CYCLE.length;
    if (this.#step === 0) this.#rateBefore = rate;
    this.#stepAt = now;
  }
}
