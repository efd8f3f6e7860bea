import { expect, test } from "bun:test";

import fc from "fast-check";

import { parseIp, showIp } from "../../src/core/ip.ts";

test.each([
  ["10.0.0.1", "10.0.0.1"],
  ["255.255.255.255", "255.255.255.255"],
  ["::", "::"],
  ["::1", "::1"],
  ["2001:DB8::0:1", "2001:db8::1"],
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
  "1:2:3",
  ":::",
  "1::2::3",
  "1:2:3:4:5:6:7:8:9",
  "1:2:3:4:5:6:7:8::",
  "12345::",
  "::10.0.0.1:1",
  "localhost",
  "[::1]",
])("%p is no address", (text) => expect(parseIp(text)).toBeUndefined());

test("what is shown is read back, and nothing throws", () => {
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
      const ip = parseIp(text);
      expect(ip).toBeDefined();
      if (ip) expect(parseIp(showIp(ip))).toEqual(ip);
    }),
  );
  fc.assert(fc.property(fc.string({ maxLength: 50 }), (text) => void parseIp(text)));
});
