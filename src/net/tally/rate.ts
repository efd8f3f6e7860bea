import type { Row } from "./row.ts";

const NS_PER_MS = 1e6;

/**
 * How often something may happen, at all workers of this machine together. One number: the moment
 * at which as many may come at once as ever (the "theoretical arrival time" of GCRA, ITU-T I.371).
 */
export class Rate {
  readonly #row: Row;
  /** From the time of this process to that of all. Milliseconds. */
  readonly #offset: number;
  readonly #close: () => void;

  constructor(row: Row, offset: number, close: () => void) {
    this.#row = row;
    this.#offset = offset;
    this.#close = close;
  }

  /**
   * 0 when it may happen now, and is counted; else milliseconds to wait. `burst`: what would be
   * allowed in so many milliseconds may come at once. `now`: as performance.now().
   */
  take(perSecond: number, burst: number, now: number): number {
    const at = nanoseconds(now + this.#offset);
    const each = this.#each(perSecond);
    for (;;) {
      const was = this.#row.moment();
      const full = was > at ? was : at;
      const wait = Number(full - at) / NS_PER_MS - burst;
      if (wait > 0) return wait;
      if (this.#row.moveMoment(was, full + each)) return 0;
    }
  }

  /** What was taken last has not happened after all. */
  giveBack(perSecond: number): void {
    this.#row.turnBack(this.#each(perSecond));
  }

  close(): void {
    this.#close();
  }

  #each(perSecond: number): bigint {
    return nanoseconds((1000 / perSecond) * this.#row.apart);
  }
}

function nanoseconds(ms: number): bigint {
  return BigInt(Math.round(ms * NS_PER_MS));
}
