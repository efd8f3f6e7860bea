/** Packet pairs that are remembered; libudt's number. */
const PAIRS = 64;
/** A pair starts at each packet whose number is a multiple of it; libudt sends the next one back to back. */
const PAIR_MASK = 15;
/** Fewer packets in a period say nothing of the speed. */
const LEAST = 8;
const SECOND = 1_000_000;

/**
 * What a receiver says of the speed of arrival and of the capacity of the link, in packets per second. libudt takes
 * the median of 16 gaps between packets for the speed; packets that come in batches have no such gaps, so here it is
 * packets counted between acknowledgements.
 */
export class Arrivals {
  readonly #gaps = new Float64Array(PAIRS);
  #pairs = 0;
  #pairAt = -1;
  #count = 0;
  #since = -1;
  #speed = 0;
  #peak = 0;

  arrived(seq: number, now: number): void {
    this.#count += 1;
    if (this.#since < 0) this.#since = now;
    const place = seq & PAIR_MASK;
    if (place === 0) this.#pairAt = now;
    else if (place === 1 && this.#pairAt >= 0) {
      const gap = now - this.#pairAt;
      if (gap >= 1) this.#gaps[this.#pairs++ % PAIRS] = gap;
      this.#pairAt = -1;
    } else this.#pairAt = -1;
  }

  /** An acknowledgement is about to be sent: the speed since the last one. */
  measure(now: number): number {
    const span = now - this.#since;
    if (this.#count >= LEAST && span > 0) {
      this.#speed = Math.round((this.#count * SECOND) / span);
      this.#peak = Math.max(this.#peak, this.#speed);
      this.#count = 0;
      this.#since = now;
    } else if (span > SECOND) {
      this.#speed = 0;
      this.#count = 0;
      this.#since = now;
    }
    return this.#speed;
  }

  /** The median of packet pairs, leaving out what is 8 times off, as libudt; never less than what did arrive. */
  capacity(): number {
    const known = Math.min(this.#pairs, PAIRS);
    if (known === 0) return this.#peak;
    const sorted = this.#gaps.slice(0, known).sort();
    const median = sorted[known >> 1] ?? 1;
    let sum = 0;
    let count = 0;
    for (const gap of sorted) {
      if (gap <= median / 8 || gap >= median * 8) continue;
      sum += gap;
      count += 1;
    }
    return Math.max(this.#peak, Math.round((SECOND * count) / Math.max(1, sum)));
  }
}
