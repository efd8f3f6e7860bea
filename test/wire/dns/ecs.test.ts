import { expect, test } from "bun:test";

import fc from "fast-check";

import { emitSubnet, parseSubnet } from "../../../src/wire/dns/ecs.ts";
import { views } from "../canary.ts";

const hex = (text: string) => Uint8Array.fromHex(text.replaceAll(" ", ""));

test.each([
  {
    story: "IPv4",
    bytes: "0001 18 00 c00002",
    subnet: { address: "192.0.2.0", source: 24, scope: 0 },
  },
  {
    story: "IPv6, of an answer",
    bytes: "0002 38 30 20010db8000000",
    subnet: { address: "2001:db8::", source: 56, scope: 48 },
  },
  {
    story: "nothing told",
    bytes: "0001 00 00",
    subnet: { address: "0.0.0.0", source: 0, scope: 0 },
  },
  { story: "no family", bytes: "0000 00 00", subnet: { address: undefined, source: 0, scope: 0 } },
])("$story", ({ bytes, subnet }) => {
  expect(parseSubnet(hex(bytes))).toEqual(subnet);
  expect(emitSubnet(subnet)).toEqual(hex(bytes));
});

test("bits behind the prefix are left out", () => {
  expect(emitSubnet({ address: "192.0.2.255", source: 25, scope: 0 })).toEqual(
    hex("0001 19 00 c0000280"),
  );
});

test.each([
  { story: "too short", bytes: "0001 00" },
  { story: "an address too long", bytes: "0001 18 00 c0000200" },
  { story: "an address too short", bytes: "0001 18 00 c000" },
  { story: "bits behind the prefix", bytes: "0001 17 00 c00003" },
  { story: "33 bits of IPv4", bytes: "0001 21 00 c000020000" },
  { story: "a scope of 33", bytes: "0001 18 21 c00002" },
  { story: "another family", bytes: "0003 00 00" },
])("$story is none", ({ bytes }) => {
  expect(parseSubnet(hex(bytes))).toBeUndefined();
});

test.each([
  { address: "192.0.2.1", source: 33 },
  { address: "nowhere", source: 24 },
])("$address/$source cannot be sent", ({ address, source }) => {
  expect(emitSubnet({ address, source, scope: 0 })).toBeUndefined();
});

test("only its bytes count, and what is read is written", () => {
  const soup = fc.tuple(fc.nat(3), fc.nat(130), fc.nat(130), fc.uint8Array({ maxLength: 17 }));
  fc.assert(
    fc.property(soup, ([family, source, scope, rest]) => {
      const bytes = Uint8Array.of(0, family, source, scope, ...rest);
      const subnet = parseSubnet(bytes);
      for (const view of views(bytes, "\0\0\0\0")) expect(parseSubnet(view)).toEqual(subnet);
      // Family 1 and 2 come back; an IPv4 address in IPv6 clothes is written as it is shown.
      if (subnet?.address !== undefined && family === 1) expect(emitSubnet(subnet)).toEqual(bytes);
    }),
  );
});
