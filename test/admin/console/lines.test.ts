import { expect, test } from "bun:test";

import fc from "fast-check";

import {
  linePath,
  newest,
  pieces,
  roundTop,
  windowFor,
} from "../../../src/admin/console/page/parts/lines.ts";

const BOX = { width: 10, height: 10, top: 10 };
const line = (...samples: number[]): string => linePath(pieces(Float32Array.from(samples), BOX));

test.each([
  { story: "up is up", samples: [0, 10], path: "M0 10L10 0" },
  {
    story: "nothing is drawn where nothing is known",
    samples: [0, Number.NaN, 5],
    path: "M0 10h0M10 5h0",
  },
  { story: "what is above the top stays inside", samples: [99, 0], path: "M0 0L10 10" },
  { story: "nothing at all", samples: [], path: "" },
])("$story", ({ samples, path }) => expect(line(...samples)).toBe(path));

test("a short history is at the right edge", () => {
  expect([...newest(Float32Array.of(1, 2), 4)]).toEqual([Number.NaN, Number.NaN, 1, 2]);
  expect([...newest(Float32Array.of(1, 2, 3), 2)]).toEqual([2, 3]);
});

test.each([
  { known: 3, most: 120, size: 30 },
  { known: 31, most: 120, size: 60 },
  { known: 200, most: 120, size: 120 },
  { known: 130, most: 300, size: 300 },
])("$known samples of at most $most get room for $size", ({ known, most, size }) => {
  expect(windowFor(known, most)).toBe(size);
});

test.each([
  { value: 0, base: 1000, top: 1 },
  { value: 3, base: 1000, top: 4 },
  { value: 61, base: 1000, top: 100 },
  { value: 3000, base: 1024, top: 4096 },
  { value: 5e6, base: 1024, top: 6 * 1024 ** 2 },
  { value: 0.03, base: 1000, top: 0.04 },
] as const)("the scale for $value to base $base ends at $top", ({ value, base, top }) => {
  expect(roundTop(value, base)).toBeCloseTo(top, 10);
});

test("a scale is never too small, and never ten times too large", () => {
  fc.assert(
    fc.property(fc.double({ min: 0.001, max: 1e15, noNaN: true }), (value) => {
      for (const base of [1000, 1024] as const) {
        const top = roundTop(value, base);
        expect(top).toBeGreaterThanOrEqual(value * 0.9999);
        expect(top).toBeLessThan(value * 10);
      }
    }),
  );
});
