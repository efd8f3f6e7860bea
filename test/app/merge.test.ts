import { expect, test } from "bun:test";

import fc from "fast-check";

import { merge } from "../../src/app/merge.ts";

test.each([
  { story: "numbers are added", values: [1, 2, 3], is: 6 },
  {
    story: "by key, also where only one has it",
    values: [{ a: 1, b: { c: 2 } }, { a: 2 }, { b: { c: 3 } }],
    is: { a: 3, b: { c: 5 } },
  },
  { story: "of words the first stands", values: ["on", "off"], is: "on" },
  { story: "the same list stays", values: [["a"], ["a"]], is: ["a"] },
  { story: "other lists are joined", values: [["a"], ["b"]], is: ["a", "b"] },
  { story: "one is itself", values: [{ a: null }], is: { a: null } },
])("$story", ({ values, is }) => {
  expect(merge(values)).toEqual(is);
});

test("what one worker says is what all say when there is one", () => {
  // As it comes through a channel: JSON has no -0.
  const sent = fc.jsonValue().map((value): unknown => JSON.parse(JSON.stringify(value)));
  fc.assert(fc.property(sent, (value) => expect(merge([value])).toEqual(value)));
});
