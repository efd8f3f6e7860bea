import { Series } from "./series.ts";

/** Longer than this without a sample, and what lies between is unknown. */
const GAP_MS = 5000;
/** Sooner than this after the last, a sample says little about how fast things grow. */
const LEAST_MS = 400;

/** A path into the figures: `services/pools/app/hosts/web-1/open`. */
type Key = string;
type Tree = { readonly [key: string]: unknown };

/**
 * Remembers every number the server shows, so that any page can draw it: as it is, and how fast it
 * grows. Figures that are no longer shown are forgotten with their history.
 */
export class History {
  #gauges = new Map<Key, Series>();
  #rates = new Map<Key, Series>();
  #last = new Map<Key, number>();
  #at = 0;

  /** Take in a whole set of figures. `now` is milliseconds. */
  push(now: number, tree: Tree): void {
    if (now - this.#at < LEAST_MS) return;
    const seconds = (now - this.#at) / 1000;
    const gap = this.#at === 0 || now - this.#at > GAP_MS;
    const seen = new Map<Key, number>();
    walk(tree, "", seen);
    for (const [key, value] of seen) {
      const before = this.#last.get(key);
      const known = before !== undefined && !gap;
      // A counter that fell was begun anew: a worker was replaced.
      const rate = known ? Math.max(0, value - before) / seconds : Number.NaN;
      if (gap && before !== undefined) {
        series(this.#gauges, key).push(Number.NaN);
        series(this.#rates, key).push(Number.NaN);
      }
      series(this.#gauges, key).push(value);
      if (before !== undefined) series(this.#rates, key).push(rate);
    }
    for (const key of this.#last.keys()) {
      if (seen.has(key)) continue;
      this.#gauges.delete(key);
      this.#rates.delete(key);
    }
    this.#last = seen;
    this.#at = now;
  }

  gauge(key: Key): Float32Array {
    return this.#gauges.get(key)?.values() ?? NONE;
  }

  /** By how much it grew, each second. */
  rate(key: Key): Float32Array {
    return this.#rates.get(key)?.values() ?? NONE;
  }

  /** How fast it grows now: per second; NaN when not known yet. */
  pace(key: Key): number {
    return this.#rates.get(key)?.last ?? Number.NaN;
  }

  /** Growth of one figure for each growth of another: milliseconds per connection. */
  ratio(sum: Key, count: Key): Float32Array {
    const [sums, counts] = [this.rate(sum), this.rate(count)];
    return sums.map((value, i) => {
      const by = counts[i] ?? 0;
      return by > 0 ? value / by : Number.NaN;
    });
  }
}

/** Sum of several series, aligned at their ends. */
export function total(series: readonly Float32Array[]): Float32Array {
  const length = Math.max(0, ...series.map((s) => s.length));
  return Float32Array.from({ length }, (_, i) => {
    let sum = Number.NaN;
    for (const s of series) {
      const value = s[i - length + s.length];
      if (value === undefined || Number.isNaN(value)) continue;
      sum = Number.isNaN(sum) ? value : sum + value;
    }
    return sum;
  });
}

/** The key of a figure: names may hold slashes. */
export function key(...path: readonly string[]): Key {
  return path.map((part) => `/${encodeURIComponent(part)}`).join("");
}

const NONE = new Float32Array();

function walk(tree: Tree, at: Key, into: Map<Key, number>): void {
  for (const [name, value] of Object.entries(tree)) {
    const path = `${at}${key(name)}`;
    if (typeof value === "number") into.set(path, value);
    else if (typeof value === "object" && value !== null && !Array.isArray(value))
      walk(value as Tree, path, into);
  }
}

function series(map: Map<Key, Series>, of: Key): Series {
  let found = map.get(of);
  if (!found) map.set(of, (found = new Series()));
  return found;
}
