import { expect, test } from "bun:test";

import fc from "fast-check";

import { LossList } from "../../../src/wire/udt/loss-list.ts";
import { ahead, next, nextMessage, shift } from "../../../src/wire/udt/sequence.ts";
import * as losses from "./loss-list.properties.ts";

test.each([
  { story: "one after another", a: 6, b: 5, is: 1 },
  { story: "behind", a: 5, b: 6, is: -1 },
  { story: "across the wrap", a: 2, b: 0x7fff_fffe, is: 4 },
  { story: "behind the wrap", a: 0x7fff_ffff, b: 0, is: -1 },
  { story: "as far as it goes", a: 0x3fff_ffff, b: 0, is: 0x3fff_ffff },
  { story: "further is behind", a: 0x4000_0001, b: 0, is: -0x3fff_ffff },
])("$a is $is ahead of $b: $story", ({ a, b, is }) => {
  expect(ahead(a, b)).toBe(is);
  expect(shift(b, is)).toBe(a);
});

test("numbers wrap", () => {
  expect(next(0x7fff_ffff)).toBe(0);
  expect(nextMessage(0x1fff_fffe)).toBe(1);
  expect(nextMessage(7)).toBe(8);
});

test("a range is split, joined and cut", () => {
  const list = new LossList();
  list.append(10, 20, 5);
  expect(list.remove(15)).toBe(true);
  expect(list.remove(15)).toBe(false);
  expect([list.ranges, list.firstOf(1), list.lastOf(1), list.whenOf(1), list.count]).toEqual([
    2, 16, 20, 5, 10,
  ]);
  expect(list.add(15)).toBe(true);
  expect([list.ranges, list.count, list.lowest]).toEqual([1, 11, 10]);
  list.removeBefore(13);
  expect([list.lowest, list.count, list.has(12), list.has(13), list.has(21)]).toEqual([
    13,
    8,
    false,
    true,
    false,
  ]);
  list.removeBefore(100);
  expect([list.lowest, list.count]).toEqual([-1, 0]);
});

test("it is a set, whatever is done to it", () => {
  fc.assert(losses.isASet);
});
