/** So long others may make a key wait. */
const MOST_DEBT_MS = 1000;

/**
 * How often each of very many keys may do something: `perSecond` steadily, `burst` at once.
 * One number per key: the moment its bucket would be full again (the "theoretical arrival
 * time" of GCRA, ITU-T I.371).
 */
export class TokenBuckets {
  /** In order of last use, so that the first ones are the likeliest to be full again. */
  #fullAt = new Map<string, number>();
  #tokenMs: number;
  #slackMs: number;
  #maxKeys: number;

  /** `maxKeys` bounds the memory; beyond it the key unused for longest starts anew. */
  constructor(perSecond: number, burst: number, maxKeys: number) {
    this.#tokenMs = 1000 / perSecond;
    this.#slackMs = (burst - 1) * this.#tokenMs;
    this.#maxKeys = maxKeys;
  }

  /** 0 when allowed, and counted; else milliseconds to wait, and not counted. */
  take(key: string, now: number): number {
    const fullAt = Math.max(this.#fullAt.get(key) ?? now, now);
    const wait = fullAt - this.#slackMs - now;
    if (wait > 0) return wait;
    this.#fullAt.delete(key);
    if (this.#fullAt.size >= this.#maxKeys) this.#makeRoom(now);
    this.#fullAt.set(key, fullAt + this.#tokenMs);
    return 0;
  }

  /**
   * `n` were taken elsewhere, allowed or not: the next here wait for them, but for no longer than a
   * second (or one token, where that is more), whatever is said.
   */
  spend(key: string, n: number, now: number): void {
    const fullAt = Math.max(this.#fullAt.get(key) ?? now, now);
    const latest = now + this.#slackMs + Math.max(MOST_DEBT_MS, this.#tokenMs);
    this.#fullAt.delete(key);
    if (this.#fullAt.size >= this.#maxKeys) this.#makeRoom(now);
    this.#fullAt.set(key, Math.min(fullAt + n * this.#tokenMs, Math.max(fullAt, latest)));
  }

  get size(): number {
    return this.#fullAt.size;
  }

  /** Forget the keys at the front that are full anyway, and at least one. */
  #makeRoom(now: number): void {
    let forgotten = 0;
    for (const [key, fullAt] of this.#fullAt) {
      if (forgotten > 0 && fullAt > now) return;
      this.#fullAt.delete(key);
      forgotten++;
    }
  }
}
