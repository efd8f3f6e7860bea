import { describe, expect, test } from "bun:test";

import fc from "fast-check";

import { canonicalRdata } from "../../../../src/wire/dns/rdata/canonical.ts";
import { parseRdata } from "../../../../src/wire/dns/rdata/parse.ts";
import { showRdata } from "../../../../src/wire/dns/rdata/show.ts";
import { parseType } from "../../../../src/wire/dns/types.ts";
import { latin1 } from "../../canary.ts";
import * as properties from "./rdata.properties.ts";

const origin = latin1("\x01o\0");
const read = (type: string, text: string) => {
  const got = parseRdata(parseType(type) ?? -1, text, origin);
  return got.ok ? got.rdata.toHex() : got.problem;
};

describe("text and bytes", () => {
  test.each([
    { type: "A", text: "192.0.2.1", hex: "c0000201" },
    { type: "AAAA", text: "2001:db8::1", hex: "20010db8000000000000000000000001" },
    { type: "AAAA", text: "::", hex: "00".repeat(16) },
    { type: "MX", text: "10 mail.o.", hex: "000a046d61696c016f00" },
    { type: "TXT", text: '"a b" "\\"\\\\\\255"', hex: "03612062 0322 5c ff" },
    { type: "CAA", text: '0 issue "ca.example"', hex: "00056973737565 63612e6578616d706c65" },
    {
      type: "NSEC",
      text: "b.o. A MX RRSIG NSEC TYPE1234",
      hex: `0162016f00 0006 400100000003 04 1b ${"00".repeat(26)}20`,
    },
    {
      type: "NSEC3",
      text: "1 1 12 aabbccdd 2t7b4g4vsa5smi47k61mv5bv1a22bojr MX",
      hex: "01 01 000c 04 aabbccdd 14 174eb2409fe28bcb4887a1836f957f0a8425e27b 00 02 0001",
    },
    { type: "NSEC3PARAM", text: "1 0 0 -", hex: "0100000000" },
    {
      type: "RRSIG",
      text: "A 13 2 3600 20300101000000 20260101000000 12345 o. AQID",
      hex: "0001 0d 02 00000e10 70db d880 6955b900 3039 016f00 010203",
    },
    { type: "TYPE65280", text: "\\# 4 0a000001", hex: "0a000001" },
    { type: "TYPE65280", text: "\\# 0", hex: "" },
    {
      type: "SVCB",
      text: '1 . alpn="f\\\\\\\\oo\\\\,bar,h2"',
      hex: "0001 00 0001 000c 08665c6f6f2c626172 026832",
    },
  ])("$type $text", ({ type, text, hex }) => {
    expect(read(type, text)).toBe(hex.replaceAll(" ", ""));
    const back = showRdata(parseType(type) ?? -1, Uint8Array.fromHex(hex.replaceAll(" ", "")));
    expect(back).toBe(text);
  });

  test.each([
    { story: "an unquoted text is one word", type: "TXT", text: "a b", hex: "01610162" },
    {
      story: "parentheses and comments",
      type: "MX",
      text: "( 10 ; ten\n mail )",
      hex: "000a046d61696c016f00",
    },
    {
      story: "times with units",
      type: "SOA",
      text: "a b 1 1h 15M 1w1d 5",
      hex: "0161016f000162016f00 00000001 00000e10 00000384 000a8c00 00000005",
    },
    { story: "algorithms by name", type: "DS", text: "1 ECDSAP256SHA256 2 00", hex: "00010d0200" },
    {
      story: "IPv4 inside IPv6",
      type: "AAAA",
      text: "::ffff:192.0.2.1",
      hex: `${"00".repeat(10)}ffffc0000201`,
    },
    { story: "the known in RFC 3597's way", type: "A", text: "\\# 4 0A00 0001", hex: "0a000001" },
    {
      story: "parameters in any order",
      type: "HTTPS",
      text: "1 . port=443 alpn=h2",
      hex: "0001 00 0001 0003 026832 0003 0002 01bb",
    },
    {
      story: "time in seconds",
      type: "SIG",
      text: "A 1 2 3 4 5 6 . AQ==",
      hex: "0001 01 02 00000003 00000004 00000005 0006 00 01",
    },
    {
      story: "a LOC of few words",
      type: "LOC",
      text: "1 N 2 E 3",
      hex: "00121613 8036ee80 806ddd00 009897ac",
    },
  ])("$story", ({ type, text, hex }) => {
    expect(read(type, text)).toBe(hex.replaceAll(" ", ""));
  });
});

test.each([
  { type: "A", text: "192.0.2", problem: 'expected an IPv4 address, got "192.0.2"' },
  { type: "A", text: "192.0.2.256", problem: 'expected an IPv4 address, got "192.0.2.256"' },
  { type: "A", text: "192.0.2.01", problem: 'expected an IPv4 address, got "192.0.2.01"' },
  { type: "A", text: "", problem: "expected an IPv4 address, the record ends" },
  { type: "A", text: "192.0.2.1 x", problem: 'unexpected "x" at the end' },
  { type: "A", text: "\\# 3 0a0000", problem: "these bytes are not what this type has" },
  { type: "A", text: "\\# 4 0a0000", problem: "expected 4 bytes, got 3" },
  { type: "AAAA", text: "1::2::3", problem: 'expected an IPv6 address, got "1::2::3"' },
  {
    type: "AAAA",
    text: "1:2:3:4:5:6:7:8:9",
    problem: 'expected an IPv6 address, got "1:2:3:4:5:6:7:8:9"',
  },
  { type: "AAAA", text: "12345::", problem: 'expected an IPv6 address, got "12345::"' },
  { type: "MX", text: "65536 a", problem: 'expected a number up to 65535, got "65536"' },
  { type: "MX", text: "mail", problem: 'expected a number up to 65535, got "mail"' },
  { type: "MX", text: "10", problem: "expected a domain name, the record ends" },
  {
    type: "TXT",
    text: `"${"x".repeat(256)}"`,
    problem: `expected a text of at most 255 bytes, got "${"x".repeat(40)}…"`,
  },
  { type: "TXT", text: '"open', problem: "a quoted text must end on its line" },
  { type: "DS", text: "1 13 2", problem: "expected hexadecimal digits, the record ends" },
  {
    type: "DS",
    text: "1 13 2 abc",
    problem: 'expected an even number of hexadecimal digits, got "abc"',
  },
  {
    type: "DNSKEY",
    text: "256 3 13 A",
    problem: 'expected base64 (in whole groups of four), got "A"',
  },
  {
    type: "CAA",
    text: "0 is-sue x",
    problem: 'expected a tag of letters and digits, got "is-sue"',
  },
  {
    type: "RRSIG",
    text: "A 13 2 1 20260231000000 1 1 . AQ==",
    problem: 'expected a time such as 20261122120000, got "20260231000000"',
  },
  {
    type: "HTTPS",
    text: "1 . port=65536",
    problem: 'expected a value that "port" can have, got "port=65536"',
  },
  { type: "HTTPS", text: "1 . alpn=h2 alpn=h3", problem: '"alpn=h3" is there twice' },
  {
    type: "HTTPS",
    text: "1 . mandatory=port alpn=h2",
    problem: "mandatory names a key that is not there, or no-default-alpn has no alpn",
  },
  {
    type: "TYPE65280",
    text: "1.2.3.4",
    problem: 'expected \\# and its bytes: this type has no text of its own, got "1.2.3.4"',
  },
  {
    type: "LOC",
    text: "90 0 1 N 0 E 0",
    problem: 'expected at most 90 degrees before the letter, got "N"',
  },
  { type: "LOC", text: "91 N 0 E 0", problem: 'expected degrees, got "91"' },
])("$type $text is wrong", ({ type, text, problem }) => {
  expect(read(type, text)).toBe(problem);
});

test.each([
  { type: "MX", hex: "000a0141016f00", canonical: "000a0161016f00" },
  { type: "TXT", hex: "0141", canonical: "0141" },
  { type: "NSEC", hex: "0141000001 40".replaceAll(" ", ""), canonical: "014100000140" },
])("$type as it is signed", ({ type, hex, canonical }) => {
  expect(canonicalRdata(parseType(type) ?? -1, Uint8Array.fromHex(hex)).toHex()).toBe(canonical);
});

test("what is shown is read", () => fc.assert(properties.readsWhatIsShown, { numRuns: 500 }));
test("only its bytes count", () => fc.assert(properties.readsOnlyItsBytes, { numRuns: 500 }));
test("any text", () => fc.assert(properties.anyText, { numRuns: 1000 }));
