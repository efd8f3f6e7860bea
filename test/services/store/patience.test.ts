import { expect, test } from "bun:test";

import { STALL_MS } from "../../../src/services/store/members/member.ts";
import { Patience } from "../../../src/services/store/patience.ts";

const KB = 1000;

test.each([
  { story: "nobody has taken any time", spent: [0, 0, 0], bytes: 0, left: STALL_MS },
  { story: "it is a little slower", spent: [10, 10, 30], bytes: 8 * KB, left: STALL_MS },
  {
    story: "it has crept for as long as anybody may be silent",
    spent: [10, 10, STALL_MS + 100],
    bytes: 50 * KB,
    left: 0,
  },
  { story: "it creeps", spent: [10, 10, 4000], bytes: 4 * KB, left: 1040 },
  {
    story: "it is slow, and so are the others",
    spent: [20_000, 20_000, 30_000],
    bytes: 100 * KB,
    left: STALL_MS,
  },
  {
    story: "it is slower than the others, and fast enough",
    spent: [100, 100, 60_000],
    bytes: 100_000 * KB,
    left: STALL_MS,
  },
])("three, two needed; $story: $left ms for the third", ({ spent, bytes, left }) => {
  const patience = new Patience([0, 1, 2], 2);
  for (const [i, ms] of spent.entries()) patience.spend(i, ms);
  expect(patience.left(2, bytes)).toBe(left);
});

test("of those who are needed nobody is left behind for being slow", () => {
  const patience = new Patience(["a", "b"], 2);
  patience.spend("a", 60_000);
  expect(patience.left("a", 10)).toBe(STALL_MS);
  const three = new Patience(["a", "b", "c"], 2);
  three.spend("a", 60_000);
  three.forget("b");
  expect(three.left("a", 10)).toBe(STALL_MS);
});
