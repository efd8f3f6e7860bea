import { equal, hash } from "./byte-hash.ts";

/** Whatever is remembered may be in one of so many places; a newcomer takes one of them. */
const WAYS = 4;

interface Entry<T> {
  readonly target: Uint8Array;
  readonly hash: number;
  readonly value: T;
}

/**
 * What was learned of requests, by the bytes of their targets: a table of fixed size, in which to look
 * makes nothing. It forgets when it is full.
 */
export class TargetTable<T> {
  readonly #entries: (Entry<T> | undefined)[];
  readonly #mask: number;
  #turn = 0;

  /** `places`: a power of two. */
  constructor(places: number) {
    this.#entries = Array.from({ length: places });
    this.#mask = places - 1;
  }

  /** What is remembered for the target that is `bytes` from `from` up to `to`. */
  find(bytes: Uint8Array, from: number, to: number): T | undefined {
    const code = hash(bytes, from, to);
    for (let i = 0; i < WAYS; i++) {
      const entry = this.#entries[(code + i) & this.#mask];
      if (entry !== undefined && entry.hash === code && equal(entry.target, bytes, from, to))
        return entry.value;
    }
    return undefined;
  }

  /**
   * Remember `value` for `target`, which stays as it is. It takes the place of what was known of the same
   * target, or of something that `isSpent`, or of whatever; that is returned.
   */
  put(target: Uint8Array, value: T, isSpent: (value: T) => boolean): T | undefined {
    const code = hash(target, 0, target.length);
    let free = -1;
    for (let i = 0; i < WAYS; i++) {
      const at = (code + i) & this.#mask;
      const entry = this.#entries[at];
      const same = entry?.hash === code && equal(entry.target, target, 0, target.length);
      if (same || (free < 0 && (entry === undefined || isSpent(entry.value)))) free = at;
      if (same) break;
    }
    if (free < 0) free = (code + (this.#turn++ % WAYS)) & this.#mask;
    const before = this.#entries[free]?.value;
    this.#entries[free] = { target, hash: code, value };
    return before;
  }

  /** Forget everything. */
  clear(): void {
    this.#entries.fill(undefined);
  }
}
