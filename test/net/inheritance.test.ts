import { expect, test } from "bun:test";

import fc from "fast-check";

import { inheritance } from "../../src/net/inheritance.ts";

test.each([
  { story: "nobody has left", slots: [0, 1], count: 2, shares: [[], []] },
  { story: "one is left of four", slots: [0, 1, 2, 3], count: 1, shares: [[1, 2, 3]] },
  { story: "each gets one", slots: [0, 1, 2, 3], count: 2, shares: [[2], [3]] },
  { story: "one is everybody's", slots: [0, 1, 2, 3], count: 3, shares: [[3], [3], [3]] },
  {
    story: "their own are still to come",
    slots: [4, 2, 3],
    count: 2,
    shares: [
      [2, 4],
      [3, 4],
    ],
  },
])("$story: $slots, $count", ({ slots, count, shares }) => {
  expect(Array.from({ length: count }, (_, slot) => inheritance(slots, slot, count, true))).toEqual(
    shares.map((share) => [...share]),
  );
});

test("every socket is served, and everybody has as many", () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(40)), fc.integer({ min: 1, max: 12 }), (slots, count) => {
      const shares = Array.from({ length: count }, (_, slot) =>
        inheritance(slots, slot, count, true),
      );
      expect(new Set(shares.flat())).toEqual(new Set(slots.filter((s) => s >= count)));
      expect(new Set(shares.map((s) => s.length)).size).toBeLessThanOrEqual(1);
    }),
  );
});

test("sockets of datagrams have one reader each", () => {
  expect([0, 1, 2].map((slot) => inheritance([0, 1, 2, 3, 4], slot, 3, false))).toEqual([
    [3],
    [4],
    [],
  ]);
});
