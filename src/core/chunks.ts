/** Some chunks of a memory, in their order. */
export interface Chain {
  readonly first: number;
  readonly last: number;
  readonly count: number;
}

const NONE = -1;

/**
 * Who has which of `count` equal chunks of a memory: only the bookkeeping. Chains need not lie
 * together, so there is no fragmentation; but what is given back goes out again as it lay.
 */
export class Chunks {
  readonly count: number;
  /** The next one of the chain or of the free list. */
  readonly #next: Int32Array;
  #free = NONE;
  #freed = 0;
  /** Those from here on were never taken. */
  #fresh = 0;

  constructor(count: number) {
    this.count = count;
    this.#next = new Int32Array(count);
  }

  get left(): number {
    return this.#freed + this.count - this.#fresh;
  }

  /** Undefined when there are not so many; `count` is at least 1. */
  take(count: number): Chain | undefined {
    if (count > this.left) return undefined;
    const first = this.#one();
    let last = first;
    for (let i = 1; i < count; i++) {
      const one = this.#one();
      this.#next[last] = one;
      last = one;
    }
    this.#next[last] = NONE;
    return { first, last, count };
  }

  /** Give back what was taken, once. */
  give({ first, last, count }: Chain): void {
    this.#next[last] = this.#free;
    this.#free = first;
    this.#freed += count;
  }

  /** The chunk behind `chunk` in its chain; -1 behind the last. */
  after(chunk: number): number {
    return this.#next[chunk]!;
  }

  #one(): number {
    const one = this.#free;
    if (one === NONE) return this.#fresh++;
    this.#free = this.#next[one]!;
    this.#freed--;
    return one;
  }
}
