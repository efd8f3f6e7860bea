import { describe, expect, test } from "bun:test";

import fc from "fast-check";

import { emitV1, emitV2, MAX_V1, MAX_V2, parseProxy } from "../../src/wire/proxy-protocol.ts";
import { latin1, views } from "./canary.ts";
import {
  hex,
  LURE,
  readsOnlyItsBytes,
  readsWhatIsWritten,
  SIGNATURE,
  tcp,
} from "./proxy-protocol.properties.ts";

const from4 = tcp("192.168.0.1", 56324);
const to4 = tcp("192.168.0.11", 443);
const from6 = tcp("2001:db8::1", 1025);
const to6 = tcp("2001:db8::2", 80);

/** The specification's own line (2.1), and headers worked out by hand from its table (2.2). */
const READ_AND_WRITTEN = [
  {
    story: "v1, TCP4, as the specification has it",
    bytes: latin1("PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n"),
    emit: emitV1,
    source: from4,
    destination: to4,
  },
  {
    story: "v1, TCP6",
    bytes: latin1("PROXY TCP6 2001:db8::1 2001:db8::2 1025 80\r\n"),
    emit: emitV1,
    source: from6,
    destination: to6,
  },
  {
    story: "v1, unknown",
    bytes: latin1("PROXY UNKNOWN\r\n"),
    emit: emitV1,
    source: undefined,
    destination: undefined,
  },
  {
    story: "v2, TCP over IPv4",
    bytes: hex(`${SIGNATURE} 21 11 000c c0a80001 c0a8000b dc04 01bb`),
    emit: emitV2,
    source: from4,
    destination: to4,
  },
  {
    story: "v2, TCP over IPv6",
    bytes: hex(
      `${SIGNATURE} 21 21 0024 20010db8 00000000 00000000 00000001 20010db8 00000000 00000000 00000002 0401 0050`,
    ),
    emit: emitV2,
    source: from6,
    destination: to6,
  },
  {
    story: "v2, UNIX",
    bytes: hex(`${SIGNATURE} 21 31 00d8 2f61${"00".repeat(106)} 2f62${"00".repeat(106)}`),
    emit: emitV2,
    source: { kind: "unix", path: "/a" } as const,
    destination: { kind: "unix", path: "/b" } as const,
  },
  {
    story: "v2, local",
    bytes: hex(`${SIGNATURE} 20 00 0000`),
    emit: emitV2,
    source: undefined,
    destination: undefined,
  },
];

describe("a PROXY header", () => {
  test.each(READ_AND_WRITTEN)("reads and writes $story", ({ bytes, emit, source, destination }) => {
    const whole = { length: bytes.length, source, destination };
    expect(parseProxy(bytes)).toEqual(whole);
    expect(parseProxy(Uint8Array.from([...bytes, 71, 69, 84]))).toEqual(whole);
    expect(emit(source, destination)).toEqual(bytes);
    for (let n = 0; n < bytes.length; n++)
      for (const view of views(bytes.subarray(0, n), LURE))
        expect(parseProxy(view)).toBe("incomplete");
  });

  const none = { source: undefined, destination: undefined };
  test.each([
    {
      story: "v1 UNKNOWN with anything behind",
      bytes: latin1("PROXY UNKNOWN ffff:f::1 x 1 2\r\n"),
      ...none,
    },
    {
      story: "v1 with the longest addresses",
      bytes: latin1(
        `PROXY TCP6 ${Array(8).fill("ffff").join(":")} ${Array(8).fill("ffff").join(":")} 65535 65535\r\n`,
      ),
      source: tcp("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 65535),
      destination: tcp("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 65535),
    },
    {
      story: "v1, the longest line there can be",
      bytes: latin1(`PROXY UNKNOWN ${"f".repeat(MAX_V1 - 16)}\r\n`),
      ...none,
    },
    {
      story: "v1, IPv4 in IPv6 clothes",
      bytes: latin1("PROXY TCP6 ::ffff:192.168.0.1 ::1 56324 80\r\n"),
      source: from4,
      destination: tcp("::1", 80),
    },
    {
      story: "v2, IPv4 in IPv6 clothes",
      bytes: hex(
        `${SIGNATURE} 21 21 0024 00000000 00000000 0000ffff c0a80001 00000000 00000000 0000ffff c0a8000b dc04 01bb`,
      ),
      source: from4,
      destination: to4,
    },
    {
      story: "v2, TLVs are skipped",
      bytes: hex(`${SIGNATURE} 21 11 0013 c0a80001 c0a8000b dc04 01bb 04 0004 00000000`),
      source: from4,
      destination: to4,
    },
    {
      story: "v2, UDP",
      bytes: hex(`${SIGNATURE} 21 12 000c c0a80001 c0a8000b dc04 01bb`),
      source: from4,
      destination: to4,
    },
    { story: "v2, unspecified family", bytes: hex(`${SIGNATURE} 21 00 0003 010203`), ...none },
    {
      story: "v2, local with addresses, which do not count",
      bytes: hex(`${SIGNATURE} 20 11 000c ${"01".repeat(12)}`),
      ...none,
    },
    {
      story: "v2, UNIX peers without name",
      bytes: hex(`${SIGNATURE} 21 31 00d8 ${"00".repeat(216)}`),
      ...none,
    },
    {
      story: "v2, as long as it may be",
      bytes: hex(`${SIGNATURE} 21 00 0208 ${"00".repeat(MAX_V2 - 16)}`),
      ...none,
    },
  ])("reads $story", ({ bytes, source, destination }) => {
    for (const view of views(bytes, LURE))
      expect(parseProxy(view)).toEqual({ length: bytes.length, source, destination });
  });

  const v1 = (text: string) => latin1(`PROXY ${text}\r\n`);
  test.each([
    ["v1, another family", v1("TCP5 192.168.0.1 192.168.0.11 1 2")],
    ["v1, lower case", v1("tcp4 192.168.0.1 192.168.0.11 1 2")],
    ["v1, IPv6 as TCP4", v1("TCP4 ::1 ::1 1 2")],
    ["v1, IPv4 as TCP6", v1("TCP6 192.168.0.1 192.168.0.11 1 2")],
    ["v1, one of each", v1("TCP6 ::1 192.168.0.11 1 2")],
    ["v1, two spaces", v1("TCP4  192.168.0.1 192.168.0.11 1 2")],
    ["v1, space behind", v1("TCP4 192.168.0.1 192.168.0.11 1 2 ")],
    ["v1, a tab", v1("TCP4\t192.168.0.1 192.168.0.11 1 2")],
    ["v1, zero ahead in a port", v1("TCP4 192.168.0.1 192.168.0.11 01 2")],
    ["v1, zero ahead in an address", v1("TCP4 192.168.0.01 192.168.0.11 1 2")],
    ["v1, a port above 65535", v1("TCP4 192.168.0.1 192.168.0.11 65536 2")],
    ["v1, a signed port", v1("TCP4 192.168.0.1 192.168.0.11 +1 2")],
    ["v1, no ports", v1("TCP4 192.168.0.1 192.168.0.11")],
    ["v1, an octet above 255", v1("TCP4 192.168.0.256 192.168.0.11 1 2")],
    ["v1, three octets", v1("TCP4 192.168.0 192.168.0.11 1 2")],
    ["v1, a zone", v1("TCP6 fe80::1%eth0 ::1 1 2")],
    ["v1, bare LF", latin1("PROXY TCP4 192.168.0.1 192.168.0.11 1 2\n")],
    ["v1, CR inside", latin1("PROXY UNKNOWN a\rb\r\n")],
    ["v1, UNKNOWN grown longer", v1("UNKNOWNx")],
    ["v1, no end within 107 bytes", latin1(`PROXY UNKNOWN ${"f".repeat(MAX_V1)}`)],
    ["v1, end at 108", latin1(`PROXY UNKNOWN ${"f".repeat(MAX_V1 - 15)}\r\n`)],
    ["v2, version 1", hex(`${SIGNATURE} 11 11 000c ${"01".repeat(12)}`)],
    ["v2, a command nobody defined", hex(`${SIGNATURE} 22 11 000c ${"01".repeat(12)}`)],
    ["v2, a family nobody defined", hex(`${SIGNATURE} 21 41 000c ${"01".repeat(12)}`)],
    ["v2, a transport nobody defined", hex(`${SIGNATURE} 21 13 000c ${"01".repeat(12)}`)],
    ["v2, too short for IPv4", hex(`${SIGNATURE} 21 11 000b ${"01".repeat(11)}`)],
    ["v2, too short for IPv6", hex(`${SIGNATURE} 21 21 0023 ${"01".repeat(35)}`)],
    ["v2, too short for UNIX", hex(`${SIGNATURE} 21 31 00d7 ${"01".repeat(215)}`)],
    ["v2, longer than it may be", hex(`${SIGNATURE} 21 00 0209`)],
  ])("refuses %s", (_, bytes) => {
    for (const view of views(bytes, LURE)) expect(parseProxy(view)).toBe("invalid");
  });

  test.each([
    ["HTTP", latin1("GET / HTTP/1.1\r\n")],
    ["TLS", hex("1603010200")],
    ["nearly v1", latin1("PROXZ")],
    ["nearly v2", hex("0d0a0d0a 000d0a51 5549540b")],
    ["HTTP behind empty lines", latin1("\r\n\r\nGET / HTTP/1.1\r\n")],
  ])("%s is something else", (_, bytes) => {
    expect(parseProxy(bytes)).toBe("absent");
  });

  test("an IPv4 peer of an IPv6 address is written wide and read narrow", () => {
    for (const emit of [emitV1, emitV2])
      expect(parseProxy(emit(from4, to6))).toMatchObject({ source: from4, destination: to6 });
  });

  test("what it writes, it reads", () => {
    fc.assert(readsWhatIsWritten);
  });

  test("any bytes get a verdict that does not depend on what lies around them", () => {
    fc.assert(readsOnlyItsBytes, { numRuns: 1000 });
  });
});
