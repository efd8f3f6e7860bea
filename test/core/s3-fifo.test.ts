import { describe, expect, test } from "bun:test";

import fc from "fast-check";

import { type Counted, S3Fifo } from "../../src/core/s3-fifo.ts";

interface Item extends Counted {
  readonly name: number;
}
const item = (name: number): Item => ({ name, visits: 0 });

/** Numbers from 0 to 1, the same ones each time (mulberry32). */
function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Keys as a web site is asked for them: the n-th most wanted 1/n as often as the first. */
function zipf(keys: number, skew: number, roll: () => number): () => number {
  const sums = new Float64Array(keys);
  let total = 0;
  for (let i = 0; i < keys; i++) sums[i] = total += 1 / (i + 1) ** skew;
  return () => {
    const at = roll() * total;
    let low = 0;
    let high = keys - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sums[middle]! < at) low = middle + 1;
      else high = middle;
    }
    return low;
  };
}

/** Share of hits, each key weighing 1, of this cache and of LRU. */
function race(budget: number, trace: readonly number[]): { ours: number; lru: number } {
  const cache = new S3Fifo<number, Item>(budget);
  const lru = new Map<number, true>();
  let ours = 0;
  let theirs = 0;
  for (const key of trace) {
    if (cache.get(key)) ours++;
    else cache.set(key, item(key), 1);
    if (lru.delete(key)) theirs++;
    else if (lru.size >= budget) lru.delete(lru.keys().next().value!);
    lru.set(key, true);
  }
  return { ours: ours / trace.length, lru: theirs / trace.length };
}

describe("hits", () => {
  test.each([
    { skew: 1, share: 0.01 },
    { skew: 1, share: 0.1 },
    { skew: 0.8, share: 0.01 },
    { skew: 0.8, share: 0.1 },
  ])("beats LRU by three points: skew $skew, room for $share of the keys", ({ skew, share }) => {
    const keys = 20_000;
    const next = zipf(keys, skew, dice(7));
    const trace = Array.from({ length: 200_000 }, next);
    const { ours, lru } = race(keys * share, trace);
    expect(ours).toBeGreaterThan(lru + 0.03);
  });

  test("one pass over many keys does not empty it", () => {
    const cache = new S3Fifo<number, Item>(1000);
    const wanted = Array.from({ length: 500 }, (_, i) => i);
    for (let round = 0; round < 3; round++)
      for (const key of wanted) if (!cache.get(key)) cache.set(key, item(key), 1);
    for (let key = 10_000; key < 60_000; key++) cache.set(key, item(key), 1);
    expect(wanted.filter((key) => cache.peek(key)).length).toBeGreaterThan(490);
  });

  test("what is wanted again soon after it was dropped stays", () => {
    const cache = new S3Fifo<number, Item>(100);
    for (let key = 0; key < 150; key++) cache.set(key, item(key), 1);
    expect(cache.peek(20)).toBeUndefined();
    cache.set(20, item(20), 1);
    for (let key = 1000; key < 1200; key++) cache.set(key, item(key), 1);
    expect(cache.peek(20)?.name).toBe(20);
  });
});

test("what is too large is refused, and leaves what there was of it", () => {
  const gone: number[] = [];
  const cache = new S3Fifo<number, Item>(10, (_, key) => gone.push(key));
  expect(cache.set(1, item(1), 10)).toBe(true);
  expect(cache.set(1, item(1), 11)).toBe(false);
  expect(gone).toEqual([1]);
  expect(cache.set(2, item(2), 0)).toBe(true);
  expect(cache.resize(2, 11)).toBe(false);
  expect(cache.resize(2, 1)).toBe(false);
  expect({ size: cache.size, bytes: cache.bytes, gone }).toEqual({
    size: 0,
    bytes: 0,
    gone: [1, 2],
  });
});

test("whatever is done: within its budget, every value leaves once, sums are right", () =>
  fc.assert(
    fc.property(
      fc.array(
        fc.record({
          act: fc.constantFrom("set", "set", "set", "get", "delete", "resize", "clear"),
          key: fc.nat(12),
          bytes: fc.nat(30),
        }),
        { maxLength: 200 },
      ),
      (steps) => {
        const alive = new Set<Item>();
        const weights = new Map<number, number>();
        const cache = new S3Fifo<number, Item>(100, (value, key) => {
          expect(alive.delete(value)).toBe(true);
          weights.delete(key);
        });
        for (const { act, key, bytes } of steps) {
          if (act === "set") {
            const value = item(key);
            cache.delete(key);
            alive.add(value);
            expect(cache.set(key, value, bytes)).toBe(true);
            weights.set(key, bytes);
          } else if (act === "get")
            expect(cache.get(key)?.name).toBe(weights.has(key) ? key : undefined);
          else if (act === "delete") {
            const there = weights.has(key);
            expect(cache.delete(key)).toBe(there);
          } else if (act === "resize") {
            if (cache.resize(key, bytes)) weights.set(key, bytes);
          } else cache.clear();
          expect(cache.bytes).toBeLessThanOrEqual(100);
          expect(cache.bytes).toBe([...weights.values()].reduce((a, b) => a + b, 0));
          expect(cache.size).toBe(alive.size);
        }
      },
    ),
    { numRuns: 500 },
  ));
