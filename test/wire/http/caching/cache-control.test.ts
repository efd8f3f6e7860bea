import { describe, expect, test } from "bun:test";

import fc from "fast-check";

import {
  NOTHING_SAID,
  parseCacheControl,
} from "../../../../src/wire/http/caching/cache-control.ts";

describe("read", () => {
  test.each([
    { text: "", is: {} },
    { text: "no-store", is: { noStore: true } },
    { text: "No-Store , MAX-AGE=5", is: { noStore: true, maxAge: 5 } },
    { text: ",,  max-age=5,,", is: { maxAge: 5 } },
    { text: 'max-age="5"', is: { maxAge: 5 } },
    { text: "max-age=99999999999", is: { maxAge: 2 ** 31 } },
    { text: "max-age=5, max-age=5", is: { maxAge: 5 } },
    { text: "max-age=5, max-age=6", is: { maxAge: 0 } },
    { text: "max-age=-5", is: { maxAge: 0 } },
    { text: "max-age=5.5", is: { maxAge: 0 } },
    { text: "max-age", is: { maxAge: 0 } },
    { text: "max-age=", is: { maxAge: 0 } },
    { text: "max-age=0x5", is: { maxAge: 0 } },
    { text: "max-age=5;public", is: { maxAge: 0 } },
    { text: "s-maxage=7, public", is: { sMaxage: 7, public: true } },
    { text: "no-cache", is: { noCache: true } },
    { text: 'no-cache="Set-Cookie, x"', is: { noCache: ["set-cookie", "x"] } },
    { text: 'no-cache="x", no-cache', is: { noCache: true } },
    { text: 'no-cache, no-cache="x"', is: { noCache: true } },
    { text: 'private="a,max-age=9", max-age=1', is: { private: ["a", "max-age=9"], maxAge: 1 } },
    { text: "max-stale", is: { maxStale: Infinity } },
    {
      text: "max-stale=3, min-fresh=4, only-if-cached",
      is: { maxStale: 3, minFresh: 4, onlyIfCached: true },
    },
    {
      text: "stale-while-revalidate=1, stale-if-error=2",
      is: { staleWhileRevalidate: 1, staleIfError: 2 },
    },
    {
      text: "must-revalidate, proxy-revalidate",
      is: { mustRevalidate: true, proxyRevalidate: true },
    },
    {
      text: "must-understand, no-transform, immutable",
      is: { mustUnderstand: true, noTransform: true, immutable: true },
    },
    { text: "community=UCI, max-age=5", is: { maxAge: 5 } },
    { text: 'x="a\\"b, no-store", max-age=5', is: { maxAge: 5 } },
  ])("$text", ({ text, is }) => {
    expect<unknown>(parseCacheControl(text)).toEqual({ ...NOTHING_SAID, ...is });
  });
});

describe("what cannot be read is not stored", () => {
  test.each(["max-age=5 no-store", 'max-age=5, x="open', "=5", "max-age=5, é"])("%s", (text) => {
    expect(parseCacheControl(text).noStore).toBe(true);
  });
});

test("never throws, never hangs", () =>
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'max-ge=,"\\ 5no;\t') }), (text) => {
      parseCacheControl(text);
    }),
    { numRuns: 2000 },
  ));
