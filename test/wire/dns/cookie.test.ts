import { describe, expect, test } from "bun:test";

import fc from "fast-check";

import { checkCookie, FULL_COOKIE, writeCookie } from "../../../src/wire/dns/cookie.ts";
import { sipHash, sipKey } from "../../../src/wire/dns/siphash.ts";

const hex = (text: string) => Uint8Array.fromHex(text);

describe("SipHash-2-4, by its authors' test vectors", () => {
  const key = sipKey(Uint8Array.from({ length: 16 }, (_, i) => i));
  test.each([
    { length: 0, hash: "310e0edd47db6f72" },
    { length: 1, hash: "fd67dc93c539f874" },
    { length: 7, hash: "37d1018bf50002ab" },
    { length: 8, hash: "6224939a79f5f593" },
    { length: 15, hash: "e545be4961ca29a1" },
    { length: 63, hash: "724506eb4c328a95" },
  ])("of $length bytes", ({ length, hash }) => {
    const out = new Uint8Array(9);
    sipHash(
      key,
      Uint8Array.from({ length: 64 }, (_, i) => i),
      length,
      out,
      1,
    );
    expect(out.subarray(1).toHex()).toBe(hash);
  });

  test("a key has 16 bytes", () => {
    expect(() => sipKey(new Uint8Array(8))).toThrow("16 bytes");
  });
});

/** RFC 9018, appendix A. */
describe("cookies of the RFC", () => {
  const first = sipKey(hex("e5e973e5a6b2a43f48e7dc849e37bfcf"));
  const before = sipKey(hex("dd3bdf9344b678b185a6f5cb60fca715"));
  const after = sipKey(hex("445536bcd2513298075a5d379663c962"));
  const v4 = Uint8Array.of(198, 51, 100, 100);
  const other = Uint8Array.of(203, 0, 113, 203);
  const v6 = hex("20010db80220000159ded0f4876982b8");

  test.each([
    {
      story: "A.1, a new one",
      key: first,
      client: v4,
      cookie: "2464c4abcf10c957010000005cf79f111f8130c3eee29480",
    },
    {
      story: "A.2, the same client later",
      key: first,
      client: v4,
      cookie: "2464c4abcf10c957010000005cf7a871d4a564a1442aca77",
    },
    {
      story: "A.3, another client",
      key: first,
      client: other,
      cookie: "fc93fc62807ddb86010000005cf7a9acf73a7810aca2381e",
    },
    {
      story: "A.4, IPv6, with a new secret",
      key: after,
      client: v6,
      cookie: "22681ab97d52c298010000005cf7c609a6bb79d16625507a",
    },
  ])("$story", ({ key, client, cookie }) => {
    const seconds = Number.parseInt(cookie.slice(24, 32), 16);
    const out = new Uint8Array(30);
    writeCookie(key, hex(`00${cookie.slice(0, 16)}`), 1, client, seconds, out, 3);
    expect(out.subarray(3, 27).toHex()).toBe(cookie);
  });

  test.each([
    { story: "fresh", age: 1800, state: "fresh" },
    { story: "to be renewed", age: 1801, state: "aging" },
    { story: "still good after an hour", age: 3600, state: "aging" },
    { story: "too old", age: 3601, state: "bad" },
    { story: "of a clock a little ahead", age: -300, state: "fresh" },
    { story: "of the future", age: -301, state: "bad" },
  ] as const)("$story: $age s old is $state", ({ age, state }) => {
    const cookie = hex("2464c4abcf10c957010000005cf79f111f8130c3eee29480");
    expect(checkCookie(first, cookie, 0, 24, v4, 0x5cf79f11 + age)).toBe(state);
  });

  test.each([
    {
      story: "A.3, with reserved bytes of another server",
      key: first,
      client: other,
      cookie: "fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5",
      state: "fresh",
    },
    {
      story: "A.4, made with the secret before",
      key: before,
      client: v6,
      cookie: "22681ab97d52c298010000005cf7c57926556bd0934c72f8",
      state: "fresh",
    },
    {
      story: "with the wrong secret",
      key: after,
      client: v6,
      cookie: "22681ab97d52c298010000005cf7c57926556bd0934c72f8",
      state: "bad",
    },
    {
      story: "of another address",
      key: first,
      client: v4,
      cookie: "fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5",
      state: "bad",
    },
    {
      story: "of another version",
      key: first,
      client: other,
      cookie: "fc93fc62807ddb8602abcdef5cf78f71a314227b6679ebf5",
      state: "bad",
    },
    {
      story: "the client's half alone",
      key: first,
      client: other,
      cookie: "fc93fc62807ddb86",
      state: "bad",
    },
  ] as const)("$story is $state", ({ key, client, cookie, state }) => {
    const seconds = Number.parseInt(cookie.slice(24, 32), 16) || 0;
    expect(checkCookie(key, hex(cookie), 0, cookie.length / 2, client, seconds)).toBe(state);
  });

  test("past 2106 the clock wraps and cookies hold", () => {
    const out = new Uint8Array(FULL_COOKIE);
    writeCookie(first, out, 0, v4, 2 ** 32 - 5, out, 0);
    expect(checkCookie(first, out, 0, FULL_COOKIE, v4, 2 ** 32 + 5)).toBe("fresh");
  });

  test("no bit may be changed", () => {
    const cookie = hex("2464c4abcf10c957010000005cf79f111f8130c3eee29480");
    fc.assert(
      fc.property(fc.nat(FULL_COOKIE * 8 - 1), (bit) => {
        const bent = cookie.slice();
        bent[bit >>> 3] = (bent[bit >>> 3] ?? 0) ^ (1 << (bit & 7));
        expect(checkCookie(first, bent, 0, FULL_COOKIE, v4, 0x5cf79f11)).toBe("bad");
      }),
    );
  });
});
