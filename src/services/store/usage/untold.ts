/** What this process has changed and nobody else knows yet, by place and prefix. */
import { type Amount, type Change, NOTHING, plus } from "./amount.ts";

/** By place ("0 3a7"), and there by prefix. */
export type Changes = ReadonlyMap<string, ReadonlyMap<string, Change>>;

export class Untold {
  #places = new Map<string, Map<string, Change>>();
  #sums = new Map<string, Amount>();

  get isEmpty(): boolean {
    return this.#places.size === 0;
  }

  get changes(): Changes {
    return this.#places;
  }

  /** So much more at a place, below each of the prefixes; `at` in milliseconds since 1970. */
  add(place: string, prefixes: readonly string[], more: Amount, at: number): void {
    const there = this.#places.get(place) ?? new Map<string, Change>();
    this.#places.set(place, there);
    for (const prefix of prefixes) {
      there.set(prefix, { ...plus(there.get(prefix) ?? NOTHING, more), at });
      this.#sums.set(prefix, plus(this.of(prefix), more));
    }
  }

  /** All together below a prefix. */
  of(prefix: string): Amount {
    return this.#sums.get(prefix) ?? NOTHING;
  }

  /** Take away what has changed at no more than `most` places: somebody will know. */
  take(most: number): Changes {
    const taken = new Map([...this.#places].slice(0, most));
    for (const [place, there] of taken) {
      this.#places.delete(place);
      for (const [prefix, { bytes, files }] of there)
        this.#sums.set(prefix, plus(this.of(prefix), { bytes: -bytes, files: -files }));
    }
    return taken;
  }
}
