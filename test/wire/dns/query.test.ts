import { describe, expect, test } from "bun:test";

import fc from "fast-check";

import { ANSWER, COOKIE_ONLY, DROP, Query, readQuery } from "../../../src/wire/dns/query.ts";
import { RCODE } from "../../../src/wire/dns/types.ts";
import queries from "./golden/queries.json";
import * as properties from "./query.properties.ts";

const hex = (text: string) => Uint8Array.fromHex(text.replaceAll(" ", ""));
const read = (bytes: Uint8Array) => {
  const query = new Query();
  return { verdict: readQuery(bytes, 0, bytes.length, query), query };
};

/** What is read from some of them; all others are plainly good. */
const SAID: Record<string, { verdict?: number; says?: (query: Query) => unknown; what?: unknown }> =
  {
    "dig +noedns www.Example.net A": {
      says: (q) => [q.labels, q.qtype, q.edns.present, q.edns.udpSize, q.rd, q.ad],
      what: [3, 1, false, 512, true, true],
    },
    "dig +dnssec +cd example.net DNSKEY": {
      says: (q) => [q.qtype, q.edns.do, q.cd],
      what: [48, true, true],
    },
    "dig +nsid +cookie=0102030405060708 . NS": {
      says: (q) => [q.labels, q.keyLength, q.edns.nsid, q.edns.cookieLength],
      what: [0, 1, true, 8],
    },
    "dig +nocookie +subnet=192.0.2.77/25 example.net": {
      says: (q) => [q.edns.ecsFamily, q.edns.ecsSource, q.edns.ecsAddress.toHex()],
      what: [1, 25, `c0000200${"00".repeat(12)}`],
    },
    "dig +nocookie +subnet=2001:db8::/56 example.net": {
      says: (q) => [q.edns.ecsFamily, q.edns.ecsSource, q.edns.ecsAddress.toHex()],
      what: [2, 56, `20010db8${"00".repeat(12)}`],
    },
    "dig +nocookie +subnet=0/0 example.net": {
      says: (q) => [q.edns.ecsAt > 0, q.edns.ecsFamily, q.edns.ecsSource],
      what: [true, 1, 0],
    },
    "dig +keepalive +nocookie example.net": { says: (q) => q.edns.keepalive, what: true },
    "kdig +padding=64 example.net": { says: (q) => q.edns.padding, what: true },
    "dig +notcp +nocookie example.net IXFR=2026112201 +notcp": {
      says: (q) => [q.qtype, q.serial],
      what: [251, 2026112201],
    },
    "dig +opcode=notify +nocookie example.net SOA": {
      says: (q) => [q.opcode, q.qtype, q.serial],
      what: [4, 6, -1],
    },
    "dig +qid=7 +nordflag +nocookie -c CH version.bind TXT": {
      says: (q) => [q.id, q.rd, q.qclass],
      what: [7, false, 3],
    },
    "kdig +nsid +cookie +bufsize=4096 www.example.net": {
      says: (q) => [q.edns.udpSize, q.edns.nsid],
      what: [4096, true],
    },
    "dig +header-only": { verdict: COOKIE_ONLY },
    "dig +opcode=update +nocookie example.net SOA": { verdict: RCODE.NOTIMP },
    "dig +nocookie +edns=1 +noednsneg example.net": { verdict: RCODE.BADVERS },
    "kdig +edns=5 example.net": { verdict: RCODE.BADVERS },
  };

/** `golden/queries.json`: taken from a socket in front of dig 9.18.49, kdig 3.2.6, drill 1.8.3 and host. */
test.each(queries)("$asked", ({ asked, hex: text }) => {
  const { verdict = ANSWER, says, what } = SAID[asked] ?? {};
  const got = read(hex(text));
  expect(got.verdict).toBe(verdict);
  expect(says?.(got.query)).toEqual(what);
});

const HEAD = "1234 0100 0001 0000 0000 0000";
const Q = "0161 0162 00 0001 0001";
const WITH = "1234 0100 0001 0000 0000 0001";
const OPT = (rdata: string) => {
  const length = rdata.replaceAll(" ", "").length / 2;
  return `00 0029 04d0 00000000 ${length.toString(16).padStart(4, "0")} ${rdata}`;
};
const SOA = "c00c 0006 0001 00000000 0016 00 00 00000001 00000000 00000000 00000000 00000000";
const TSIG = "00 00fa 00ff 00000000 0001 00";

describe("by hand", () => {
  test.each([
    { story: "nothing", bytes: "", verdict: DROP },
    { story: "half a header", bytes: "1234 0100 0001 0000 0000", verdict: DROP },
    { story: "an answer", bytes: `1234 8180 0001 0000 0000 0000 ${Q}`, verdict: DROP },
    { story: "a plain question", bytes: `${HEAD} ${Q}`, verdict: ANSWER },
    { story: "no question", bytes: "1234 0100 0000 0000 0000 0000", verdict: RCODE.FORMERR },
    {
      story: "two questions",
      bytes: `1234 0100 0002 0000 0000 0000 ${Q} ${Q}`,
      verdict: RCODE.FORMERR,
    },
    {
      story: "a status request",
      bytes: `1234 1000 0001 0000 0000 0000 ${Q}`,
      verdict: RCODE.NOTIMP,
    },
    {
      story: "an opcode of nobody",
      bytes: `1234 7800 0001 0000 0000 0000 ${Q}`,
      verdict: RCODE.NOTIMP,
    },
    { story: "a compressed name", bytes: `${HEAD} 0161 c000 0001 0001`, verdict: RCODE.FORMERR },
    { story: "a name without an end", bytes: `${HEAD} 0161 0162`, verdict: RCODE.FORMERR },
    { story: "a question without a class", bytes: `${HEAD} 0161 00 0001`, verdict: RCODE.FORMERR },
    { story: "bytes behind the question", bytes: `${HEAD} ${Q} 00`, verdict: RCODE.FORMERR },
    {
      story: "an answer in a question",
      bytes: `1234 0100 0001 0001 0000 0000 ${Q} ${SOA}`,
      verdict: RCODE.FORMERR,
    },
    {
      story: "an authority in a question",
      bytes: `1234 0100 0001 0000 0001 0000 ${Q} ${SOA}`,
      verdict: RCODE.FORMERR,
    },
    {
      story: "an IXFR with its SOA",
      bytes: `1234 0100 0001 0000 0001 0000 0161 00 00fb 0001 ${SOA}`,
      verdict: ANSWER,
      serial: 1,
    },
    {
      story: "an IXFR with something else",
      bytes: `1234 0100 0001 0000 0001 0000 0161 00 00fb 0001 c00c 0001 0001 00000000 0004 01020304`,
      verdict: RCODE.FORMERR,
    },
    {
      story: "a NOTIFY with its SOA",
      bytes: `1234 2400 0001 0001 0000 0000 0161 00 0006 0001 ${SOA}`,
      verdict: ANSWER,
      serial: 1,
    },
    { story: "an OPT that is promised", bytes: `${WITH} ${Q}`, verdict: RCODE.FORMERR },
    { story: "an OPT", bytes: `${WITH} ${Q} ${OPT("")}`, verdict: ANSWER },
    {
      story: "two OPT",
      bytes: `1234 0100 0001 0000 0000 0002 ${Q} ${OPT("")} ${OPT("")}`,
      verdict: RCODE.FORMERR,
    },
    { story: "an OPT with a name", bytes: `${WITH} ${Q} 0161 ${OPT("")}`, verdict: RCODE.FORMERR },
    {
      story: "an option cut short",
      bytes: `${WITH} ${Q} ${OPT("0003 00")}`,
      verdict: RCODE.FORMERR,
    },
    {
      story: "an option that overruns",
      bytes: `${WITH} ${Q} ${OPT("0003 0001")}`,
      verdict: RCODE.FORMERR,
    },
    { story: "an unknown option", bytes: `${WITH} ${Q} ${OPT("fde9 0002 abcd")}`, verdict: ANSWER },
    {
      story: "a cookie of 7",
      bytes: `${WITH} ${Q} ${OPT("000a 0007 01020304050607")}`,
      verdict: RCODE.FORMERR,
    },
    {
      story: "a cookie of 15",
      bytes: `${WITH} ${Q} ${OPT(`000a 000f ${"00".repeat(15)}`)}`,
      verdict: RCODE.FORMERR,
    },
    {
      story: "a cookie of 41",
      bytes: `${WITH} ${Q} ${OPT(`000a 0029 ${"00".repeat(41)}`)}`,
      verdict: RCODE.FORMERR,
    },
    {
      story: "a subnet with a scope",
      bytes: `${WITH} ${Q} ${OPT("0008 0007 0001 18 18 c00002")}`,
      verdict: RCODE.FORMERR,
    },
    {
      story: "a subnet with bits too many",
      bytes: `${WITH} ${Q} ${OPT("0008 0007 0001 17 00 c00003")}`,
      verdict: RCODE.FORMERR,
    },
    {
      story: "a subnet with a byte too many",
      bytes: `${WITH} ${Q} ${OPT("0008 0008 0001 18 00 c0000200")}`,
      verdict: RCODE.FORMERR,
    },
    {
      story: "a subnet of 33 bits",
      bytes: `${WITH} ${Q} ${OPT("0008 0009 0001 21 00 c000020080")}`,
      verdict: RCODE.FORMERR,
    },
    {
      story: "a subnet of another family",
      bytes: `${WITH} ${Q} ${OPT("0008 0004 0003 00 00")}`,
      verdict: RCODE.FORMERR,
    },
    {
      story: "a subnet of no family",
      bytes: `${WITH} ${Q} ${OPT("0008 0004 0000 00 00")}`,
      verdict: ANSWER,
    },
    {
      story: "a TSIG at the end",
      bytes: `1234 0100 0001 0000 0000 0002 ${Q} ${OPT("")} ${TSIG}`,
      verdict: ANSWER,
    },
    {
      story: "a TSIG and more",
      bytes: `1234 0100 0001 0000 0000 0002 ${Q} ${TSIG} ${OPT("")}`,
      verdict: RCODE.FORMERR,
    },
    {
      story: "another EDNS, options not ours to read",
      bytes: `${WITH} ${Q} 00 0029 04d0 00010000 0001 ff`,
      verdict: RCODE.BADVERS,
    },
    { story: "OPT as a question", bytes: `${HEAD} 00 0029 0001`, verdict: RCODE.FORMERR },
    { story: "NXNAME as a question", bytes: `${HEAD} 00 0080 0001`, verdict: RCODE.FORMERR },
    { story: "MAILB as a question", bytes: `${HEAD} 00 00fd 0001`, verdict: RCODE.NOTIMP },
  ])("$story", ({ bytes, verdict, serial }) => {
    const got = read(hex(bytes));
    expect(got.verdict).toBe(verdict);
    expect(got.query.serial).toBe(serial ?? -1);
  });

  test("a name of 255 bytes is read, one of 256 is not", () => {
    const label = `3f${"61".repeat(63)}`;
    const long = (last: number) =>
      `${HEAD} ${label.repeat(3)} ${last.toString(16)}${"61".repeat(last)} 00 0001 0001`;
    expect(read(hex(long(61))).verdict).toBe(ANSWER);
    expect(read(hex(long(61))).query.keyLength).toBe(255);
    expect(read(hex(long(62))).verdict).toBe(RCODE.FORMERR);
  });

  test("what cannot be answered still has its question, to echo", () => {
    const { query } = read(hex(`${HEAD} ${Q} 00`));
    expect([query.qnameStart, query.questionEnd, query.id]).toEqual([12, 21, 0x1234]);
    expect(read(hex(`${HEAD} 0161`)).query.questionEnd).toBe(0);
  });
});

test("only its bytes count", () => fc.assert(properties.readsOnlyItsBytes));
test("the decoder agrees", () => fc.assert(properties.agreesWithTheDecoder));
