import { shorten } from "../../../core/shorten.ts";

/** URLs remembered; beyond it a tenth is forgotten, those marked longest ago. */
const MOST = 10_000;
const KEPT = 0.9;

/**
 * URLs whose responses were not to be kept: for a while nobody waits for another one's, and what
 * clients ask for is passed on as it is.
 */
export class Marks {
  readonly #until = new Map<string, number>();

  has(key: string, now: number): boolean {
    const until = this.#until.get(key);
    if (until === undefined) return false;
    if (now < until) return true;
    this.#until.delete(key);
    return false;
  }

  set(key: string, until: number): void {
    this.#until.delete(key);
    this.#until.set(key, until);
    if (this.#until.size > MOST) shorten(this.#until, MOST * KEPT);
  }

  delete(key: string): void {
    this.#until.delete(key);
  }
}
