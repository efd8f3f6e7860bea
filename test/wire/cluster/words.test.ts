import { expect, test } from "bun:test";

import fc from "fast-check";

import { emitWords, parseWords } from "../../../src/wire/cluster/words.ts";

test("what is told is read back", () => {
  const word = fc.record({ text: fc.string(), ago: fc.nat() });
  fc.assert(
    fc.property(fc.record({ first: fc.maxSafeNat(), words: fc.array(word) }), (words) => {
      expect(parseWords(emitWords(words))).toEqual(words);
    }),
  );
});

test.each([
  "",
  "hello",
  "{}",
  "[]",
  "[0]",
  '["0", []]',
  "[-1, []]",
  "[0.5, []]",
  "[0, {}]",
  "[0, [1]]",
  '[0, [["a"]]]',
  '[0, [["a", -1]]]',
  '[0, [["a", "b"]]]',
  '[0, [["a", 0, 0]]]',
  `[0, [["${"a".repeat(512 * 1024)}", 0]]]`,
])("%.30s is none", (text) => {
  expect(parseWords(text)).toBeUndefined();
});

test("anything at all is read, or is none", () => {
  fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => void parseWords(text)));
});
