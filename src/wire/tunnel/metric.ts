export interface MetricRules {
  /** What the truth must have moved by to be told: a part of what was told, 0.2 is a fifth. */
  readonly hysteresis: number;
  /** Milliseconds that it must have been so for. */
  readonly hold: number;
}

/** Less than that is no difference, whatever part of the whole it is. */
const LEAST_MS = 2;

/** What others are told of a value that never stands still: they hear of it when it matters. */
export class Metric {
  /** As it was told last; NaN before. */
  told = Number.NaN;
  readonly #rules: MetricRules;
  /** Since when it has been far from what was told, on one side of it. */
  #since = Infinity;
  #above = false;

  constructor(rules: MetricRules) {
    this.#rules = rules;
  }

  /** The value is `score` (NaN: not known). Is there something to tell? */
  consider(score: number, now: number): boolean {
    if (Number.isNaN(score)) return false;
    if (Number.isNaN(this.told)) return this.#tell(score);
    const far = Math.max(LEAST_MS, this.told * this.#rules.hysteresis);
    const above = score > this.told;
    if (Math.abs(score - this.told) < far || (this.#since < Infinity && above !== this.#above)) {
      this.#since = Infinity;
      return false;
    }
    if (this.#since === Infinity) {
      this.#since = now;
      this.#above = above;
    }
    return now - this.#since >= this.#rules.hold && this.#tell(score);
  }

  #tell(score: number): true {
    this.told = score;
    this.#since = Infinity;
    return true;
  }
}
