import { expect, test } from "bun:test";

import fc from "fast-check";

import { closest } from "../../src/core/suggest.ts";

const KEYS = ["weight", "listen", "root", "index", "gzip", "ttl", "tls", "http2", "webdav"];

test.each([
  ["two swapped", "wieght", "weight"],
  ["one dropped", "lisen", "listen"],
  ["one added", "rooot", "root"],
  ["one changed", "webdaf", "webdav"],
  ["another case", "GZIP", "gzip"],
  ["two slips in a long word", "lstenn", "listen"],
  ["short words: one slip only", "tlt", "ttl"],
  ["nothing like it", "banana", undefined],
  ["one dropped of three", "tt", "ttl"],
  ["a letter is no hint", "x", undefined],
  ["nothing", "", undefined],
])("%s: %p is %p", (_, word, meant) => expect(closest(word, KEYS)).toBe(meant));

test("a word is closest to itself", () => {
  const words = fc.uniqueArray(fc.stringMatching(/^[a-z]{2,12}$/), { minLength: 1 });
  fc.assert(
    fc.property(words, fc.nat(), (words, n) => {
      const word = words[n % words.length] ?? "";
      expect(closest(word, words)).toBe(word);
    }),
  );
});
