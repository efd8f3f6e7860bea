import { describe, expect, test } from "bun:test";

import fc from "fast-check";

import { emit, parse, show, type SocketAddress } from "../../src/sys/sockaddr.ts";

test.each([
  {
    is: { kind: "inet", host: "127.0.0.1", port: 8080 },
    hex: "02001f907f0000010000000000000000",
    shown: "127.0.0.1:8080",
  },
  {
    is: { kind: "inet6", host: "2001:db8::1", port: 443, flow: 0, scope: 0 },
    hex: "0a0001bb0000000020010db800000000000000000000000100000000",
    shown: "[2001:db8::1]:443",
  },
  {
    is: { kind: "inet6", host: "fe80::2", port: 80, flow: 5, scope: 3 },
    hex: "0a00005000000005fe80000000000000000000000000000203000000",
    shown: "[fe80::2%3]:80",
  },
  { is: { kind: "unix", path: "/run/x" }, hex: "01002f72756e2f7800", shown: "unix:/run/x" },
  { is: { kind: "abstract", name: "x" }, hex: "01000078", shown: "unix:@x" },
  { is: { kind: "unnamed" }, hex: "0100", shown: "unix:" },
] satisfies { is: SocketAddress; hex: string; shown: string }[])("$shown", ({ is, hex, shown }) => {
  expect(emit(is)?.toHex()).toBe(hex);
  expect(parse(Uint8Array.fromHex(hex))).toEqual(is);
  expect(show(is)).toBe(shown);
});

describe("refused", () => {
  test.each([
    { story: "a name is not an address", address: { kind: "inet", host: "localhost", port: 80 } },
    { story: "a port too large", address: { kind: "inet", host: "::", port: 65536 } },
    { story: "a fraction", address: { kind: "inet", host: "1.2.3.4", port: 1.5 } },
    { story: "v4 for v6", address: { kind: "inet6", host: "1.2.3.4", port: 1, flow: 0, scope: 0 } },
    { story: "no path", address: { kind: "unix", path: "" } },
    { story: "a path with a NUL", address: { kind: "unix", path: "a\0b" } },
    { story: "108 bytes leave no room for NUL", address: { kind: "unix", path: "x".repeat(108) } },
    { story: "bytes count, not letters", address: { kind: "unix", path: "é".repeat(54) } },
    { story: "an abstract name of 108", address: { kind: "abstract", name: "x".repeat(108) } },
  ] satisfies { story: string; address: SocketAddress }[])("$story", ({ address }) => {
    expect(emit(address)).toBeUndefined();
  });

  test.each([
    { story: "nothing", hex: "" },
    { story: "half a family", hex: "02" },
    { story: "a short sockaddr_in", hex: "02001f907f0000" },
    { story: "a short sockaddr_in6", hex: "0a0001bb0000000020010db8" },
    { story: "a packet socket", hex: "1100000000000000" },
    { story: "a path that is not UTF-8", hex: "01002fff00" },
  ])("parse $story", ({ hex }) => {
    expect(parse(Uint8Array.fromHex(hex))).toBeUndefined();
  });
});

test("a full path without its NUL is read whole", () => {
  const bytes = new Uint8Array(110).fill(0x61);
  bytes.set([1, 0]);
  expect(parse(bytes)).toEqual({ kind: "unix", path: "a".repeat(108) });
});

const family = fc.constantFrom(1, 2, 10, 17);
const wild = fc
  .tuple(family, fc.uint8Array({ maxLength: 140 }))
  .map(([f, rest]) => Uint8Array.of(f, 0, ...rest));

test("whatever the bytes, parse neither throws nor reads past them; what it reads, it writes back", () => {
  fc.assert(
    fc.property(fc.oneof(wild, fc.uint8Array({ maxLength: 140 })), (bytes) => {
      // Inside a larger buffer, so that a read past the end would see 0xee.
      const room = new Uint8Array(bytes.length + 256).fill(0xee);
      room.set(bytes, 128);
      const seen = parse(room.subarray(128, 128 + bytes.length));
      expect(seen).toEqual(parse(bytes));
      if (seen === undefined) return;
      const again = emit(seen);
      // A path or name of exactly the kernel's maximum can be read but not bound.
      if (again !== undefined) expect(parse(again)).toEqual(seen);
    }),
    { numRuns: 1000 },
  );
});
