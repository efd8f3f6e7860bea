import { expect, test } from "bun:test";

import fc from "fast-check";

import { judge, UNJUDGED } from "../../../src/net/health/judge.ts";

const rules = { rise: 2, fall: 3 };

test.each([
  { story: "nothing is known before the first", probes: "", state: "unknown" },
  { story: "one good is enough for the unknown", probes: "o", state: "up" },
  { story: "one bad is not", probes: "x", state: "unknown" },
  { story: "down when it failed from the start", probes: "xxx", state: "down" },
  { story: "good after bad ones at the start", probes: "xxo", state: "up" },
  { story: "two bad are not enough", probes: "oxx", state: "up" },
  { story: "three bad in a row", probes: "oxxx", state: "down" },
  { story: "a good one resets the count", probes: "oxxoxx", state: "up" },
  { story: "back after two good", probes: "xxxoo", state: "up" },
  { story: "not back after good, bad, good", probes: "xxxoxo", state: "down" },
])("$story: $probes", ({ probes, state }) => {
  let standing = UNJUDGED;
  for (const p of probes) standing = judge(standing, p === "o", rules);
  expect(standing.state).toBe(state as typeof standing.state);
});

test("after so many of a kind in a row there is no doubt", () => {
  const row = fc.array(fc.boolean());
  fc.assert(
    fc.property(
      row,
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 5 }),
      fc.boolean(),
      (before, rise, fall, last) => {
        let standing = UNJUDGED;
        for (const p of before) standing = judge(standing, p, { rise, fall });
        for (let i = 0; i < (last ? rise : fall); i++)
          standing = judge(standing, last, { rise, fall });
        expect(standing).toEqual({ state: last ? "up" : "down", streak: 0 });
      },
    ),
  );
});
