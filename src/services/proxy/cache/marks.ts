/** URLs remembered; beyond it the one marked longest ago is forgotten. */
const MOST = 10_000;

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
    if (this.#until.size <= MOST) return;
    for (const oldest of this.#until.keys()) {
      this.#until.delete(oldest);
      return;
    }
  }

  delete(key: string): void {
    this.#until.delete(key);
  }
}
