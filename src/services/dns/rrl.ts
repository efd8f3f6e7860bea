/** Response rate limiting: what a victim of forged questions gets from us has a limit. */

/** What becomes of an answer. */
export const PASS = 0;
/** Say nothing. */
export const DROP = 1;
/** Say only that there is more by TCP: a real client asks again, a victim gets no more than was sent. */
export const SLIP = 2;

export interface RateLimits {
  /** Answers of one kind to one network, steadily and at once. */
  readonly perSecond: number;
  /** Every so manieth answer beyond it slips; 0: none. */
  readonly slip: number;
}

/** Sets of the table; each has WAYS places. About 800 KB. */
const SETS = 8192;
const WAYS = 8;
/** Clients of one network are one (NSD, BIND and Knot have the same default). */
const V4_BYTES = 3; // a /24
const V6_BYTES = 7; // a /56

/**
 * How often each kind of answer went to each network: GCRA (ITU-T I.371), the moment when a
 * bucket would be full again, in a table of fixed size. Checking allocates nothing.
 */
export class ResponseLimiter {
  readonly #tokenMs: number;
  readonly #slackMs: number;
  readonly #slip: number;
  readonly #seed: number;
  readonly #tags = new Uint32Array(SETS * WAYS);
  readonly #fullAt = new Float64Array(SETS * WAYS);
  readonly #slips = new Uint8Array(SETS * WAYS);

  /** `seed`: nobody outside knows it, so that nobody can aim at a place of the table. */
  constructor({ perSecond, slip }: RateLimits, seed: number) {
    this.#tokenMs = 1000 / perSecond;
    this.#slackMs = 1000 - this.#tokenMs;
    this.#slip = slip;
    this.#seed = seed;
  }

  /**
   * May an answer go to `client` (4 bytes or 16)? `what` tells kinds of answers apart: the name of
   * one that exists, the zone of one that does not, the rcode of an error.
   */
  check(client: Uint8Array, what: number, now: number): number {
    const hash = this.#hash(client, what);
    const tag = hash | 1; // 0 is an empty place
    const first = ((hash >>> 8) % SETS) * WAYS;
    const place = this.#place(first, tag >>> 0);
    const fullAt = Math.max(this.#fullAt[place] as number, now);
    if (fullAt - this.#slackMs <= now) {
      this.#fullAt[place] = fullAt + this.#tokenMs;
      return PASS;
    }
    if (this.#slip === 0) return DROP;
    const slips = (this.#slips[place] as number) + 1;
    this.#slips[place] = slips >= this.#slip ? 0 : slips;
    return slips >= this.#slip ? SLIP : DROP;
  }

  /** The place with this tag, or the one of its set that was full first, made anew. */
  #place(first: number, tag: number): number {
    let oldest = first;
    for (let i = first; i < first + WAYS; i++) {
      if (this.#tags[i] === tag) return i;
      if ((this.#fullAt[i] as number) < (this.#fullAt[oldest] as number)) oldest = i;
    }
    this.#tags[oldest] = tag;
    this.#fullAt[oldest] = 0;
    this.#slips[oldest] = 0;
    return oldest;
  }

  #hash(client: Uint8Array, what: number): number {
    let hash = this.#seed ^ what;
    const bytes = client.length === 4 ? V4_BYTES : V6_BYTES;
    for (let i = 0; i < bytes; i++) hash = Math.imul(hash ^ (client[i] as number), 0x01000193);
    hash = Math.imul(hash ^ client.length ^ (hash >>> 16), 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    return hash ^ (hash >>> 16);
  }
}
