import { expect, test } from "bun:test";

import { shorten } from "../../src/core/shorten.ts";

test.each<{ left: number; is: string[] }>([
  { left: 5, is: ["a", "b", "c"] },
  { left: 3, is: ["a", "b", "c"] },
  { left: 2, is: ["b", "c"] },
  { left: 0, is: [] },
])("a, b, c shortened to $left: $is", ({ left, is }) => {
  const map = new Map([
    ["a", 1],
    ["b", 2],
    ["c", 3],
  ]);
  shorten(map, left);
  expect([...map.keys()]).toEqual(is);
});
