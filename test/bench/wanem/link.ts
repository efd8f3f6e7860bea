import { CLEAN, type Conditions } from "./conditions.ts";

/** What `admit` answers for a packet that does not arrive. */
export const LOST = -1;
/** There were too many before it. */
export const OVERFLOWED = -2;
/** It overtakes the others. */
export const AT_ONCE = -3;

const BITS_PER_US = 1e6;

/** What becomes of each packet in one direction: a pure function of times, lengths and a seed. */
export class Link {
  conditions: Conditions = CLEAN;
  /** When the last bit of what was admitted leaves, µs. */
  #free = 0;
  #lastDue = 0;
  /** In a run of losses? */
  #isBad = false;
  #dice: number;

  constructor(seed: number) {
    this.#dice = seed;
  }

  /** A packet of so many bytes at `now` (µs): when it arrives; or LOST, OVERFLOWED, AT_ONCE. */
  admit(length: number, now: number): number {
    const { down, rate, queue, reorder, delay, jitter } = this.conditions;
    if (down || this.#isLost()) return LOST;
    let leaves = now;
    if (rate > 0) {
      const free = Math.max(this.#free, now);
      const waiting = ((free - now) * rate) / BITS_PER_US / 8;
      if (waiting > queue) return OVERFLOWED;
      this.#free = free + (length * 8 * BITS_PER_US) / rate;
      leaves = this.#free;
    }
    if (reorder > 0 && this.#roll() < reorder) return AT_ONCE;
    const swing = jitter > 0 ? (this.#roll() * 2 - 1) * jitter : 0;
    this.#lastDue = Math.max(this.#lastDue, now, leaves + delay + swing);
    return this.#lastDue;
  }

  /** Does what was admitted arrive twice? */
  isDoubled(): boolean {
    const { duplicate } = this.conditions;
    return duplicate > 0 && this.#roll() < duplicate;
  }

  /** Of two states, one of which loses everything, so that the share and the mean run are as wanted. */
  #isLost(): boolean {
    const { loss, burst } = this.conditions;
    if (loss <= 0) return false;
    if (burst <= 1) return this.#roll() < loss;
    const recovery = 1 / burst;
    const failure = (loss * recovery) / (1 - loss);
    const roll = this.#roll();
    this.#isBad = this.#isBad ? roll >= recovery : roll < failure;
    return this.#isBad;
  }

  /** mulberry32 */
  #roll(): number {
    this.#dice = (this.#dice + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#dice ^ (this.#dice >>> 15), 1 | this.#dice);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }
}
