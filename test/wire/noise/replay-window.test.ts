import { expect, test } from "bun:test";

import fc from "fast-check";

import { ReplayWindow } from "../../../src/wire/noise/replay-window.ts";
import { windowIsASet } from "./noise.properties.ts";

test.each([
  { story: "in order", counters: [0, 1, 2, 3], taken: "yyyy" },
  { story: "twice", counters: [0, 0, 5, 5, 0], taken: "ynynn" },
  { story: "out of order", counters: [9, 3, 7, 3, 8, 9], taken: "yyynyn" },
  { story: "the oldest that may come", counters: [8192, 1, 1, 0], taken: "yynn" },
  { story: "a leap", counters: [1, 2 ** 40, 1, 2 ** 40 - 8191, 2 ** 40 - 8192], taken: "yynyn" },
  { story: "a leap by a whole turn", counters: [0, 8224, 8224 - 8191, 8224], taken: "yyyn" },
  {
    story: "as far as numbers go",
    counters: [2 ** 53 - 1, 2 ** 53 - 2, 2 ** 53 - 1],
    taken: "yyn",
  },
  { story: "and no further", counters: [2 ** 53, Infinity, 0], taken: "nny" },
])("$story", ({ counters, taken }) => {
  const window = new ReplayWindow();
  expect(counters.map((counter) => (window.accept(counter) ? "y" : "n")).join("")).toBe(taken);
});

test("as a set of all that was seen would say, and what is not fresh is not taken", () => {
  fc.assert(windowIsASet, { numRuns: 50 });
});
