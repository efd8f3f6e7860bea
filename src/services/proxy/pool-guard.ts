/** Retries that may be saved up while all goes well. */
const MOST_SAVED = 10;

/** Pools that are remembered while nothing is asked of them: by `forward`, strangers choose them. */
const MOST_IDLE = 1000;

/** The guards of all pools of one proxy. */
export class PoolGuards {
  readonly #most: number;
  readonly #percent: number;
  readonly #guards = new Map<string, PoolGuard>();

  /** For each pool, as `PoolGuard` has it. */
  constructor(most: number, percent: number) {
    this.#most = most;
    this.#percent = percent;
  }

  get size(): number {
    return this.#guards.size;
  }

  of(pool: string): PoolGuard {
    let guard = this.#guards.get(pool);
    if (guard !== undefined) return guard;
    if (this.#guards.size >= MOST_IDLE) this.#forgetIdle();
    this.#guards.set(pool, (guard = new PoolGuard(this.#most, this.#percent)));
    return guard;
  }

  #forgetIdle(): void {
    for (const [pool, { pending }] of this.#guards) if (pending === 0) this.#guards.delete(pool);
  }
}

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
