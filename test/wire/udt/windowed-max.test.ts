import { expect, test } from "bun:test";

import fc from "fast-check";

import { WindowedMax } from "../../../src/wire/udt/congestion/windowed-max.ts";

test("the best of late, and the next best when that is too old", () => {
  const max = new WindowedMax();
  const seen = [
    [9, 0],
    [5, 10],
    [7, 30],
    [3, 60],
    [1, 105],
    [1, 150],
    [1, 260],
  ].map(([value, at]) => {
    max.add(value!, at!, 100);
    return max.best;
  });
  expect(seen).toEqual([9, 9, 9, 9, 7, 3, 1]);
});

test("it is never less than the newest, nor more than the best of the window and a bit", () => {
  const values = fc.array(fc.tuple(fc.nat(1000), fc.integer({ min: 1, max: 40 })));
  fc.assert(
    fc.property(values, (steps) => {
      const max = new WindowedMax();
      const all: { value: number; at: number }[] = [];
      let at = 0;
      for (const [value, gap] of steps) {
        at += gap;
        all.push({ value, at });
        max.add(value, at, 100);
        const lately = all.filter((one) => at - one.at <= 100).map((one) => one.value);
        expect(max.best).toBeGreaterThanOrEqual(value);
        expect(max.best).toBeLessThanOrEqual(Math.max(...lately));
      }
    }),
  );
});
