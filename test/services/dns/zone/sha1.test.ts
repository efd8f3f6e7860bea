import { expect, test } from "bun:test";
import { createHash } from "node:crypto";

import fc from "fast-check";

import { sha1 } from "../../../../src/services/dns/zone/sha1.ts";

function hex(input: Uint8Array): string {
  const padded = new Uint8Array(input.length + 72);
  padded.set(input);
  padded.fill(0xff, input.length); // whatever was there before
  const words = new Uint32Array(5);
  sha1(padded, input.length, words);
  return Array.from(words, (word) => word.toString(16).padStart(8, "0")).join("");
}

// FIPS 180-4's examples.
test.each([
  ["", "da39a3ee5e6b4b0d3255bfef95601890afd80709"],
  ["abc", "a9993e364706816aba3e25717850c26c9cd0d89d"],
  [
    "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
    "84983e441c3bd26ebaae4aa1f95129e5e54670f1",
  ],
])("%p", (text, expected) => {
  expect(hex(new TextEncoder().encode(text))).toBe(expected);
});

test("as OpenSSL's", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), (input) => {
      expect(hex(input)).toBe(createHash("sha1").update(input).digest("hex"));
    }),
  );
});
