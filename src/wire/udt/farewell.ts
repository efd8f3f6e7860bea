/** The word that we are gone is said so often: nobody acknowledges it. */
const TIMES = 3;
/** So far apart, µs, or by a round trip and its deviation: what loses one does not lose all. */
const SHORTEST = 20_000;
const LONGEST = 500_000;

/** How a connection says that it is gone. Times µs. */
export class Farewell {
  #left = 0;
  #due = -Infinity;

  /** Say it: `TIMES` to a peer who does not know, once to one who said it himself and waits to hear that we know. */
  begin(isNews: boolean): void {
    this.#left = isNews ? TIMES : 1;
  }

  /** The peer is gone too. */
  end(): void {
    this.#left = 0;
  }

  /** It is due. The next is, after `patience`. */
  take(now: number, patience: number): boolean {
    if (this.#left === 0 || now < this.#due) return false;
    this.#left -= 1;
    this.#due = now + Math.min(LONGEST, Math.max(SHORTEST, patience));
    return true;
  }

  /** Infinity: there is nothing left to say. */
  get wakeAt(): number {
    return this.#left === 0 ? Infinity : this.#due;
  }
}
