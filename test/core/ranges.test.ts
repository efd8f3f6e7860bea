import { expect, test } from "bun:test";

import fc from "fast-check";

import { showCidr } from "../../src/core/cidr.ts";
import { expandRange, rangeBlocks } from "../../src/core/ranges.ts";

const shown = (text: string): string | undefined =>
  expandRange(text)
    ?.map(({ host, port }) => `${host} ${port ?? "-"}`)
    .join(", ");

test.each([
  ["10.0.0.1-3:8000", "10.0.0.1 8000, 10.0.0.2 8000, 10.0.0.3 8000"],
  ["10.23.4.124-125", "10.23.4.124 -, 10.23.4.125 -"],
  ["10.0.0.7-7:80", "10.0.0.7 80"],
  ["10.0.0.1:8080", "10.0.0.1 8080"],
  ["10.0.0.1", "10.0.0.1 -"],
  ["[::1]:80", "::1 80"],
  ["::1", "::1 -"],
  ["[2001:db8::1]", "2001:db8::1 -"],
  ["app.example:80", "app.example 80"],
  ["db-1", "db-1 -"],
])("%p is %p", (text, hosts) => expect(shown(text)).toBe(hosts));

test("ten hosts, as in 3xsd", () => expect(expandRange("10.0.0.1-10:8000")).toHaveLength(10));

test.each([
  ["the range goes down", "10.0.0.9-3:80"],
  ["the range leaves the octet", "10.0.0.1-256:80"],
  ["port 0", "10.0.0.1:0"],
  ["port 65536", "10.0.0.1-2:65536"],
  ["no port behind the colon", "10.0.0.1:"],
  ["an octet too large", "10.0.0.256"],
  ["too few octets", "10.0.1:80"],
  ["an empty text", ""],
  ["a path", "a/b"],
  ["two ranges", "10.0.0-1.1-2"],
])("%s: %p is no host", (_, text) => expect(expandRange(text)).toBeUndefined());

test("a range of clients as blocks", () => {
  expect(rangeBlocks("10.23.4.10-20")?.map(showCidr)).toEqual([
    "10.23.4.10/31",
    "10.23.4.12/30",
    "10.23.4.16/30",
    "10.23.4.20",
  ]);
  expect(rangeBlocks("10.23.4.10")).toBeUndefined();
});

test("a range has as many hosts as it says, in order; nothing throws", () => {
  const octet = fc.integer({ min: 0, max: 255 });
  fc.assert(
    fc.property(octet, octet, fc.integer({ min: 1, max: 65_535 }), (a, b, port) => {
      const [first, last] = [Math.min(a, b), Math.max(a, b)];
      const hosts = expandRange(`192.0.2.${first}-${last}:${port}`);
      expect(hosts).toEqual(
        Array.from({ length: last - first + 1 }, (_, i) => ({
          host: `192.0.2.${first + i}`,
          port,
        })),
      );
    }),
  );
  fc.assert(fc.property(fc.string(), (text) => void expandRange(text)));
});
