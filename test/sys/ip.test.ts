import { describe, expect, test } from "bun:test";
import { isIPv4, isIPv6 } from "node:net";

import fc from "fast-check";

import { parseIp4, parseIp6, showIp4, showIp6 } from "../../src/sys/ip.ts";

describe("IPv4", () => {
  test.each([
    { text: "192.0.2.1", bytes: [192, 0, 2, 1] },
    { text: "0.0.0.0", bytes: [0, 0, 0, 0] },
    { text: "255.255.255.255", bytes: [255, 255, 255, 255] },
    { text: "256.0.0.1", bytes: undefined },
    { text: "010.0.0.1", bytes: undefined },
    { text: "1.2.3", bytes: undefined },
    { text: "1.2.3.4.5", bytes: undefined },
    { text: "1.2.3.", bytes: undefined },
    { text: " 1.2.3.4", bytes: undefined },
    { text: "0x1.2.3.4", bytes: undefined },
  ])("$text", ({ text, bytes }) => {
    const read = parseIp4(text);
    expect(read).toEqual(bytes && Uint8Array.from(bytes));
  });
});

describe("IPv6 is shown as RFC 5952 says", () => {
  test.each([
    { text: "::", shown: "::" },
    { text: "::1", shown: "::1" },
    { text: "1::", shown: "1::" },
    { text: "2001:0DB8:0:0:0:0:0:1", shown: "2001:db8::1" },
    { text: "2001:db8:0:1:1:1:1:1", shown: "2001:db8:0:1:1:1:1:1" },
    { text: "2001:db8:0:0:1:0:0:1", shown: "2001:db8::1:0:0:1" },
    { text: "2001:0:0:1:0:0:0:1", shown: "2001:0:0:1::1" },
    { text: "::ffff:192.0.2.1", shown: "::ffff:192.0.2.1" },
    { text: "64:ff9b::192.0.2.33", shown: "64:ff9b::c000:221" },
    { text: "1:2:3:4:5:6:7::", shown: "1:2:3:4:5:6:7:0" },
    { text: "1:2:3:4:5:6:7:8::", shown: undefined },
    { text: "1:2:3:4:5:6:7", shown: undefined },
    { text: "1::2::3", shown: undefined },
    { text: ":::", shown: undefined },
    { text: ":1:2:3:4:5:6:7", shown: undefined },
    { text: "12345::", shown: undefined },
    { text: "fe80::1%2", shown: undefined },
    { text: "1.2.3.4::", shown: undefined },
    { text: "", shown: undefined },
  ])("$text -> $shown", ({ text, shown }) => {
    const read = parseIp6(text);
    expect(read && showIp6(read)).toBe(shown);
  });
});

const bytes = (n: number) => fc.uint8Array({ minLength: n, maxLength: n });

test("what is shown is read back", () => {
  fc.assert(fc.property(bytes(4), (ip) => expect(parseIp4(showIp4(ip))).toEqual(ip)));
  // Half of the groups zero, so that runs of them are common.
  const sparse = fc
    .array(fc.oneof(fc.constant(0), fc.nat(0xffff)), { minLength: 8, maxLength: 8 })
    .map((words) => new Uint8Array(words.flatMap((w) => [w >>> 8, w & 0xff])));
  fc.assert(fc.property(sparse, (ip) => expect(parseIp6(showIp6(ip))).toEqual(ip)));
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
    }),
    { numRuns: 2000 },
  );
});
