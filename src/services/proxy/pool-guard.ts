/** Retries that may be saved up while all goes well. */
const MOST_SAVED = 10;

/** What one pool is spared: more requests than it can serve, and a flood of second tries when it is ill. */
export class PoolGuard {
  /** Requests in hand. */
  pending = 0;
  readonly #most: number;
  readonly #earned: number;
  #saved = MOST_SAVED;

  /** `most` requests in hand; 0: any number. Second tries are `percent` of all requests at most. */
  constructor(most: number, percent: number) {
    this.#most = most;
    this.#earned = percent / 100;
  }

  /** A request wants in: `leave` when it is over. False: there are too many. */
  enter(): boolean {
    if (this.#most > 0 && this.pending >= this.#most) return false;
    this.pending++;
    this.#saved = Math.min(MOST_SAVED, this.#saved + this.#earned);
    return true;
  }

  leave(): void {
    this.pending--;
  }

  /** May a request be asked again? If so, that is counted. */
  again(): boolean {
    if (this.#saved < 1) return false;
    this.#saved--;
    return true;
  }
}
