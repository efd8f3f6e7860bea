import { expect, test } from "bun:test";

import { same } from "../../src/app/same.ts";
import { Secret } from "../../src/config/secret.ts";

test.each([
  { story: "numbers", a: 1, b: 1, is: true },
  { story: "a number and its text", a: 1, b: "1", is: false },
  { story: "order of keys", a: { x: 1, y: 2 }, b: { y: 2, x: 1 }, is: true },
  { story: "a key more", a: { x: 1 }, b: { x: 1, y: 2 }, is: false },
  { story: "undefined is absent", a: { x: 1, y: undefined }, b: { x: 1 }, is: true },
  { story: "order of a list", a: [1, 2], b: [2, 1], is: false },
  { story: "a list and a map", a: [1], b: { 0: 1 }, is: false },
  { story: "null and a map", a: null, b: {}, is: false },
  { story: "the same secret", a: new Secret("x"), b: new Secret("x"), is: true },
  { story: "another secret", a: [new Secret("x")], b: [new Secret("y")], is: false },
  { story: "a secret and its text", a: new Secret("x"), b: "x", is: false },
  { story: "sets", a: new Set([1]), b: new Set([1]), is: true },
  { story: "maps of values", a: new Map([["a", 1]]), b: new Map([["a", 2]]), is: false },
])("$story: $is", ({ a, b, is }) => {
  expect(same(a, b)).toBe(is);
  expect(same(b, a)).toBe(is);
});
