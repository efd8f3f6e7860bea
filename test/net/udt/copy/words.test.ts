import { describe, expect, test } from "bun:test";

import fc from "fast-check";

import {
  Done,
  emitWord,
  Go,
  Hello,
  Offer,
  parseWord,
  Want,
} from "../../../../src/net/udt/copy/words.ts";

const size = fc.nat(Number.MAX_SAFE_INTEGER);
const hash = fc.stringMatching(/^[0-9a-f]{64}$/);

test.each([
  { name: "Hello", schema: Hello, word: fc.record({ role: fc.constantFrom("send", "receive") }) },
  { name: "Offer", schema: Offer, word: fc.record({ name: fc.string(), size }) },
  { name: "Want", schema: Want, word: fc.record({ have: size, sha256: hash }) },
  { name: "Go", schema: Go, word: fc.record({ from: size }) },
  { name: "Done", schema: Done, word: fc.record({ sha256: hash }) },
])("$name: what is emitted is what is parsed, behind its length", ({ schema, word }) => {
  fc.assert(
    fc.property(word, (one) => {
      const bytes = emitWord(one);
      expect(new DataView(bytes.buffer).getUint32(0)).toBe(bytes.length - 4);
      expect(parseWord(schema, bytes.subarray(4))).toEqual(one);
    }),
  );
});

describe("what a stranger says", () => {
  test.each([
    { story: "no JSON", schema: Go, json: "{" },
    { story: "no UTF-8", schema: Go, json: "\xff" },
    { story: "another word", schema: Go, json: '{"to":1}' },
    { story: "less than nothing", schema: Go, json: '{"from":-1}' },
    { story: "a half", schema: Go, json: '{"from":0.5}' },
    { story: "more than can be counted", schema: Go, json: '{"from":9007199254740993}' },
    { story: "no hash", schema: Done, json: '{"sha256":"abc"}' },
    { story: "a name without end", schema: Offer, json: `{"name":"${"x".repeat(5000)}"}` },
  ])("$story is no word", ({ schema, json }) => {
    expect(parseWord(schema, Buffer.from(json, "latin1"))).toBeUndefined();
  });

  test("any bytes: never a throw", () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        for (const schema of [Hello, Offer, Want, Go, Done]) parseWord(schema, bytes);
      }),
    );
  });
});
