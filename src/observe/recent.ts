/** Something that happened, and its place in the order of all that happened. */
export interface Numbered<T> {
  /** Counts from 1 and never repeats; what a gap left out was forgotten, or never here. */
  readonly number: number;
  readonly event: T;
}

/** The last `capacity` events, for whoever looks in later. */
export class Recent<T> {
  #ring: Numbered<T>[] = [];
  #last = 0;

  constructor(readonly capacity: number) {}

  /** Its number. */
  push(event: T): number {
    const number = ++this.#last;
    this.#ring[(number - 1) % this.capacity] = { number, event };
    return number;
  }

  /** Go on with numbers greater than this one. */
  continueAfter(number: number): void {
    this.#last = Math.max(this.#last, number);
  }

  /** Those newer than `number`, oldest first; from 0, all that are still known. */
  after(number: number): Numbered<T>[] {
    const first = Math.max(number, this.#last - this.capacity, 0);
    const found: Numbered<T>[] = [];
    for (let n = first; n < this.#last; n++) {
      const known = this.#ring[n % this.capacity];
      if (known?.number === n + 1) found.push(known);
    }
    return found;
  }
}
