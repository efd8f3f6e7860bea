import { expect, test } from "bun:test";

import fc from "fast-check";

import {
  blocksBetween,
  compileAccess,
  contains,
  parseCidr,
  showCidr,
} from "../../src/core/cidr.ts";

test.each([
  { story: "inside", block: "10.0.0.0/8", address: "10.255.0.1", is: true },
  { story: "outside", block: "10.0.0.0/8", address: "11.0.0.1", is: false },
  { story: "one address", block: "10.0.0.1", address: "10.0.0.1", is: true },
  { story: "its neighbour", block: "10.0.0.1", address: "10.0.0.2", is: false },
  { story: "all of IPv4", block: "0.0.0.0/0", address: "255.0.0.1", is: true },
  { story: "all of IPv4 is not IPv6", block: "0.0.0.0/0", address: "::1", is: false },
  { story: "all of IPv6 is not IPv4", block: "::/0", address: "10.0.0.1", is: false },
  { story: "IPv6 inside", block: "2001:db8::/33", address: "2001:db8:7fff::1", is: true },
  {
    story: "IPv6 outside by one bit",
    block: "2001:db8::/33",
    address: "2001:db8:8000::1",
    is: false,
  },
  {
    story: "a dual-stack socket's IPv4",
    block: "10.0.0.0/8",
    address: "::ffff:10.1.2.3",
    is: true,
  },
  { story: "a mapped block", block: "::ffff:10.0.0.0/104", address: "10.1.2.3", is: true },
  { story: "a zone", block: "fe80::/10", address: "fe80::1%eth0", is: true },
  { story: "bits behind the prefix", block: "10.1.2.3/8", address: "10.9.9.9", is: true },
  { story: "no address at all", block: "0.0.0.0/0", address: "", is: false },
])("$story: $address in $block is $is", ({ block, address, is }) => {
  const cidr = parseCidr(block);
  expect(cidr && contains(cidr, address)).toBe(is);
});

test.each([
  "",
  "10.0.0.0/33",
  "10.0.0.0/-1",
  "10.0.0.0/08",
  "::/129",
  "10.0.0.0/8/8",
  "::ffff:10.0.0.0/90",
  "fe80::1%eth0",
  "a/8",
])("%p is no CIDR", (text) => expect(parseCidr(text)).toBeUndefined());

test("a list lets in whom one of its entries does; an empty one nobody", () => {
  const allowed = compileAccess(["127.0.0.1", "10.0.0.0/8", "::1"]);
  expect(["127.0.0.1", "10.2.3.4", "::1", "::2", "192.0.2.1", ""].map(allowed)).toEqual([
    true,
    true,
    true,
    false,
    false,
    false,
  ]);
  expect(compileAccess([])("127.0.0.1")).toBe(false);
  expect(() => compileAccess(["nonsense"])).toThrow("not a CIDR: nonsense");
});

test.each([
  { first: 10, last: 20, blocks: ["0.0.0.10/31", "0.0.0.12/30", "0.0.0.16/30", "0.0.0.20"] },
  { first: 0, last: 255, blocks: ["0.0.0.0/24"] },
  { first: 0, last: 0xffff_ffff, blocks: ["0.0.0.0/0"] },
  { first: 5, last: 5, blocks: ["0.0.0.5"] },
])("$first to $last is $blocks", ({ first, last, blocks }) =>
  expect<readonly string[]>(blocksBetween(first, last).map(showCidr)).toEqual(blocks),
);

test("blocks between two addresses hold exactly those", () => {
  const word = fc.integer({ min: 0, max: 0xffff_ffff });
  fc.assert(
    fc.property(word, word, (a, b) => {
      const [first, last] = [Math.min(a, b), Math.max(a, b)];
      const blocks = blocksBetween(first, last);
      const size = blocks.reduce((sum, { bits }) => sum + 2 ** (32 - bits), 0);
      expect(size).toBe(last - first + 1);
      expect(blocks[0]?.base.words[0]).toBe(first);
    }),
  );
});

test("what is shown is read back, and nothing throws", () => {
  const block = fc.oneof(
    fc.tuple(fc.ipV4(), fc.integer({ min: 0, max: 32 })),
    fc.tuple(fc.ipV6(), fc.integer({ min: 0, max: 128 })),
  );
  fc.assert(
    fc.property(block, ([host, bits]) => {
      const cidr = parseCidr(`${host}/${bits}`);
      if (cidr) expect(parseCidr(showCidr(cidr))).toEqual(cidr);
      if (cidr) expect(contains(cidr, host)).toBe(true);
    }),
  );
  fc.assert(fc.property(fc.string(), (text) => void parseCidr(text)));
});
