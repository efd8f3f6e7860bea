import { describe, expect, test } from "bun:test";

import fc from "fast-check";

import {
  compareCanonical,
  isUnder,
  parseName,
  readName,
  ROOT,
  showName,
} from "../../../src/wire/dns/name.ts";
import { latin1 } from "../canary.ts";
import * as properties from "./name.properties.ts";

const origin = latin1("\x07example\x03net\0");

describe("a name as people write it", () => {
  test.each([
    { story: "whole", text: "www.example.net.", wire: "\x03www\x07example\x03net\0" },
    { story: "relative", text: "www", wire: "\x03www\x07example\x03net\0" },
    { story: "the origin", text: "@", wire: "\x07example\x03net\0" },
    { story: "an @ that is a letter", text: "\\@.", wire: "\x01@\0" },
    { story: "the root", text: ".", wire: "\0" },
    { story: "a dot in a label", text: "a\\.b.", wire: "\x03a.b\0" },
    { story: "a byte by its number", text: "a\\000\\255.", wire: "\x03a\0\xff\0" },
    { story: "case is kept", text: "WwW.", wire: "\x03WwW\0" },
    { story: "UTF-8 goes as its bytes", text: "é.", wire: "\x02\xc3\xa9\0" },
    { story: "a label of 63", text: `${"a".repeat(63)}.`, wire: `\x3f${"a".repeat(63)}\0` },
  ])("$story: $text", ({ text, wire }) => {
    expect(parseName(text, origin)).toEqual(latin1(wire));
  });

  test.each([
    { story: "nothing", text: "" },
    { story: "an empty label", text: "a..b" },
    { story: "a dot in front", text: ".a" },
    { story: "a label of 64", text: "a".repeat(64) },
    { story: "a byte above 255", text: "\\256" },
    { story: "half an escape", text: "a\\" },
    { story: "half a number", text: "a\\01" },
    { story: "256 bytes", text: `${`${"a".repeat(63)}.`.repeat(3)}${"a".repeat(62)}.` },
  ])("no name: $story", ({ text }) => {
    expect(parseName(text)).toBeUndefined();
  });

  test("255 bytes are the longest", () => {
    const text = `${`${"a".repeat(63)}.`.repeat(3)}${"a".repeat(61)}.`;
    expect(parseName(text)?.length).toBe(255);
    expect(parseName(text.slice(0, -1), latin1("\x01a\0"))).toBeUndefined();
  });

  test("without an origin every name is whole", () => {
    expect(parseName("a")).toEqual(latin1("\x01a\0"));
    expect(parseName("@")).toBeUndefined();
  });

  test.each([
    { wire: "\0", text: "." },
    { wire: "\x03a.b\0", text: "a\\.b." },
    { wire: "\x02 \x7f\0", text: "\\032\\127." },
  ])("shown: $text", ({ wire, text }) => {
    expect(showName(latin1(wire))).toBe(text);
  });
});

describe("a name in a message", () => {
  test.each([
    { story: "whole", bytes: "\x01a\x01b\0", at: 0, name: "\x01a\x01b\0", next: 5 },
    { story: "a pointer", bytes: "\x01b\0\x01a\xc0\0", at: 3, name: "\x01a\x01b\0", next: 7 },
    {
      story: "a pointer to a pointer",
      bytes: "\x01b\0\xc0\0\x01a\xc0\x03",
      at: 5,
      name: "\x01a\x01b\0",
      next: 9,
    },
  ])("$story", ({ bytes, at, name, next }) => {
    expect(readName(latin1(bytes), at)).toEqual({ name: latin1(name), next });
  });

  test.each([
    { story: "a pointer to itself", bytes: "\xc0\0", at: 0 },
    { story: "a pointer ahead", bytes: "\xc0\x02\0", at: 0 },
    { story: "two that point to each other", bytes: "\xc0\x02\xc0\0", at: 2 },
    { story: "into its own labels", bytes: "\x01a\xc0\0", at: 0 },
    { story: "a label of type 01", bytes: "\x41a\0", at: 0 },
    { story: "a label of type 10", bytes: "\x81a\0", at: 0 },
    { story: "half a pointer", bytes: "\0\xc0", at: 1 },
    { story: "a label cut short", bytes: "\x03ab", at: 0 },
    { story: "no end", bytes: "\x01a", at: 0 },
  ])("$story is none", ({ bytes, at }) => {
    expect(readName(latin1(bytes), at)).toBeUndefined();
  });

  test("longer than 255 by its pointers is none", () => {
    const labels = (count: number) => `\x3f${"a".repeat(63)}`.repeat(count);
    expect(readName(latin1(`${labels(3)}\0${labels(1)}\xc0\0`), 193)).toBeUndefined();
  });
});

test("the order of RFC 4034, 6.1", () => {
  const ordered = [
    "example",
    "a.example",
    "yljkjljk.a.example",
    "Z.a.example",
    "zABC.a.EXAMPLE",
    "z.example",
    "\\001.z.example",
    "*.z.example",
    "\\200.z.example",
  ].map((text) => parseName(text) ?? ROOT);
  expect(ordered.toReversed().sort(compareCanonical)).toEqual(ordered);
});

test.each([
  { name: "a.example.net", zone: "example.net", under: true },
  { name: "EXAMPLE.net", zone: "example.NET", under: true },
  { name: "example.net", zone: ".", under: true },
  { name: "badexample.net", zone: "example.net", under: false },
  { name: "net", zone: "example.net", under: false },
  { name: "a\\007example.net", zone: "example.net", under: false },
])("$name is under $zone: $under", ({ name, zone, under }) => {
  expect(isUnder(parseName(name) ?? ROOT, parseName(zone) ?? ROOT)).toBe(under);
});

test("what is shown is read", () => fc.assert(properties.readsWhatIsShown));
test("any text", () => fc.assert(properties.anyText));
test("only its bytes count", () => fc.assert(properties.readsOnlyItsBytes));
test("compares as plainly written", () => fc.assert(properties.comparesAsPlainly));
