/** A full collection takes some 25 ms: no more often than this, ms. */
const APART = 500;

/**
 * What large bodies leave behind. Buffers that are under way when the young are collected count as old from then on, and
 * the old are left until there are as many again: 130 MB of them were left of a file of 10 GB. So whoever passes
 * bodies on has them collected.
 */
export class Garbage {
  readonly #every: number;
  #passed = 0;
  #last = -Infinity;

  /** Collect when so many bytes have passed. */
  constructor(every: number) {
    this.#every = every;
  }

  /** So many more bytes have passed. */
  left(bytes: number): void {
    this.#passed += bytes;
    const now = performance.now();
    if (this.#passed < this.#every || now - this.#last < APART) return;
    this.#passed = 0;
    this.#last = now;
    Bun.gc(true);
  }
}
