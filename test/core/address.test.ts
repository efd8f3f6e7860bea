import { expect, test } from "bun:test";

import fc from "fast-check";

import { type Address, parseAddress, showAddress } from "../../src/core/address.ts";

test.each<[string, Address]>([
  [":8080", { kind: "tcp", host: "", port: 8080 }],
  ["127.0.0.1:80", { kind: "tcp", host: "127.0.0.1", port: 80 }],
  ["[::1]:80", { kind: "tcp", host: "::1", port: 80 }],
  ["[fe80::1%eth0]:80", { kind: "tcp", host: "fe80::1%eth0", port: 80 }],
  ["0.0.0.0:0", { kind: "tcp", host: "0.0.0.0", port: 0 }],
  ["unix:/run/x.sock", { kind: "unix", path: "/run/x.sock" }],
])("%p", (text, address) => {
  expect(parseAddress(text)).toEqual(address);
  expect(showAddress(address)).toBe(text);
});

test.each([
  "",
  "8080",
  ":",
  ":65536",
  "::1:80",
  "[127.0.0.1]:80",
  "[]:80",
  "localhost:80",
  "1.2.3:80",
  "unix:",
  "http://x:80",
])("%p is no address", (text) => expect(parseAddress(text)).toBeUndefined());

test("what is shown is read back, and nothing throws", () => {
  const port = fc.integer({ min: 0, max: 65_535 });
  const host = fc.oneof(fc.constant(""), fc.ipV4(), fc.ipV6());
  fc.assert(
    fc.property(host, port, (host, port) => {
      const address = { kind: "tcp" as const, host, port };
      expect(parseAddress(showAddress(address))).toEqual(address);
    }),
  );
  fc.assert(fc.property(fc.string(), (text) => void parseAddress(text)));
});
