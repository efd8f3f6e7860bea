import { expect, test } from "bun:test";
import { isIPv4, isIPv6 } from "node:net";

import fc from "fast-check";

import { type Ip, parseIp, parseIp4, parseIp6, showIp } from "../../src/core/ip.ts";

test.each([
  ["10.0.0.1", "10.0.0.1"],
  ["0.0.0.0", "0.0.0.0"],
  ["255.255.255.255", "255.255.255.255"],
  ["::", "::"],
  ["::1", "::1"],
  ["1::", "1::"],
  ["2001:DB8::0:1", "2001:db8::1"],
  ["2001:0:0:1:0:0:0:1", "2001:0:0:1::1"],
  ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
  ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
  ["1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"],
  ["fe80::1%eth0", "fe80::1"],
  ["::ffff:10.0.0.1", "10.0.0.1"],
  ["::ffff:a00:1", "10.0.0.1"],
  ["64:ff9b::10.0.0.1", "64:ff9b::a00:1"],
])("%p is %p", (text, shown) => {
  const ip = parseIp(text);
  expect(ip && showIp(ip)).toBe(shown);
});

test.each([
  "",
  "10.0.0",
  "10.0.0.256",
  "010.0.0.1",
  "10.0.0.1.",
  "10.0.0.1.1",
  " 10.0.0.1",
  "0x1.2.3.4",
  "10.0.0.1::",
  "1:2:3",
  "1:2:3:4:5:6:7",
  ":1:2:3:4:5:6:7",
  ":::",
  "1::2::3",
  "1:2:3:4:5:6:7:8:9",
  "1:2:3:4:5:6:7:8::",
  "12345::",
  "::10.0.0.1:1",
  "localhost",
  "[::1]",
])("%p is no address", (text) => expect(parseIp(text)).toBeUndefined());

test.each([
  { text: "::ffff:10.0.0.1", shown: "::ffff:10.0.0.1" },
  { text: "::ffff:a00:1", shown: "::ffff:10.0.0.1" },
  { text: "::1", shown: "::1" },
  { text: "10.0.0.1", shown: undefined },
  { text: "fe80::1%2", shown: undefined },
])("as a family of its own, $text is $shown", ({ text, shown }) => {
  const ip = parseIp6(text);
  expect(ip && showIp(ip)).toBe(shown);
});

/** Half of the groups zero, so that runs of them are common. */
const group = fc.oneof(fc.constant(0), fc.nat(0xffff));
const word = fc.tuple(group, group).map(([high, low]) => high * 0x10000 + low);

test("what is shown is read back", () => {
  fc.assert(
    fc.property(fc.tuple(word, word, word, word), ([a, b, c, d]) => {
      const v4: Ip = { version: 4, words: [a] };
      const v6: Ip = { version: 6, words: [a, b, c, d] };
      expect([parseIp4(showIp(v4)), parseIp6(showIp(v6))]).toEqual([v4, v6]);
    }),
  );
});

test("reads what node:net reads, and nothing else", () => {
  const letters = fc.string({ unit: fc.constantFrom(..."01:.af9"), maxLength: 24 });
  const near = fc
    .tuple(fc.oneof(fc.ipV4(), fc.ipV6()), fc.nat(20), fc.constantFrom("", ":", ".", "0", "f"))
    .map(([ip, at, put]) => ip.slice(0, at) + put + ip.slice(at + 1));
  fc.assert(
    fc.property(fc.oneof(letters, fc.ipV4(), fc.ipV6(), near), (text) => {
      expect(parseIp4(text) !== undefined).toBe(isIPv4(text));
      expect(parseIp6(text) !== undefined).toBe(isIPv6(text));
      expect(parseIp(text) !== undefined).toBe(isIPv4(text) || isIPv6(text));
    }),
    { numRuns: 2000 },
  );
  fc.assert(fc.property(fc.string({ maxLength: 50 }), (text) => void parseIp(text)));
});
