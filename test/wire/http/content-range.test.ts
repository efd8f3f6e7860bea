import { expect, test } from "bun:test";

import fc from "fast-check";

import { parseContentRange } from "../../../src/wire/http/content-range.ts";

test.each([
  ["bytes 0-0/1", { from: 0, to: 1, total: 1 }],
  ["Bytes 5-9/100", { from: 5, to: 10, total: 100 }],
  [" bytes 0-99/100 ", { from: 0, to: 100, total: 100 }],
  ["bytes 0-99/*", undefined],
  ["bytes */100", undefined],
  ["bytes 9-5/100", undefined],
  ["bytes 0-100/100", undefined],
  ["bytes -5/100", undefined],
  ["bytes 0-9/100, bytes 10-19/100", undefined],
  ["pages 0-9/100", undefined],
  ["bytes 0-9/1000000000000000000", undefined],
  ["", undefined],
])("%j", (text, part) => {
  expect(parseContentRange(text)).toEqual(part);
});

test("what is written is read", () => {
  fc.assert(
    fc.property(fc.nat(), fc.nat(), fc.nat(), (from, more, rest) => {
      const [to, total] = [from + more + 1, from + more + 1 + rest];
      expect(parseContentRange(`bytes ${from}-${to - 1}/${total}`)).toEqual({ from, to, total });
    }),
  );
});
