import { describe, expect, test } from "bun:test";

import fc from "fast-check";

import { TokenBuckets } from "../../src/core/token-bucket.ts";

describe("token buckets", () => {
  test.each([
    { story: "a burst passes", at: [0, 0, 0], waits: [0, 0, 0] },
    { story: "one more waits for a token", at: [0, 0, 0, 0], waits: [0, 0, 0, 100] },
    { story: "waiting is not counted", at: [0, 0, 0, 50, 50], waits: [0, 0, 0, 50, 50] },
    { story: "a token comes back", at: [0, 0, 0, 100, 100], waits: [0, 0, 0, 0, 100] },
    { story: "full again after a pause", at: [0, 0, 0, 900, 900, 900], waits: [0, 0, 0, 0, 0, 0] },
  ])("10/s, burst 3: $story", ({ at, waits }) => {
    const buckets = new TokenBuckets(10, 3, 100);
    expect(at.map((now) => buckets.take("kim", now))).toEqual([...waits]);
  });

  test("keys do not share", () => {
    const buckets = new TokenBuckets(1, 1, 100);
    expect([buckets.take("a", 0), buckets.take("b", 0), buckets.take("a", 0)]).toEqual([
      0, 0, 1000,
    ]);
  });

  test("memory is bounded, and full buckets go first", () => {
    const buckets = new TokenBuckets(1, 2, 3);
    for (const [i, key] of ["a", "b", "c", "d", "e"].entries()) buckets.take(key, i * 10);
    expect(buckets.size).toBe(3);
    buckets.take("f", 10_000);
    expect(buckets.size).toBe(1);
  });

  test("never more than the burst and the rate allow", () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(300), { maxLength: 200 }),
        fc.integer({ min: 1, max: 50 }),
        fc.integer({ min: 1, max: 20 }),
        (gaps, perSecond, burst) => {
          const buckets = new TokenBuckets(perSecond, burst, 10);
          let now = 0;
          let passed = 0;
          for (const gap of gaps) {
            now += gap;
            if (buckets.take("k", now) === 0) passed++;
            expect(passed).toBeLessThanOrEqual(burst + (now / 1000) * perSecond + 1e-6);
          }
        },
      ),
    );
  });
});
