import { describe, expect, test } from "bun:test";

import {
  type Built,
  loadZone,
  loadZoneInTurns,
} from "../../../../src/services/dns/zone/zone-builder.ts";
import { ask, wire } from "./ask.ts";

const TOP = "@ 60 SOA ns host 7 2 3 4 5\n@ 60 NS ns\nns 60 A 192.0.2.53\n";

function load(text: string): Built {
  return loadZone(text, { file: "example.zone", origin: wire("example.") });
}

function messages(built: Built): string[] {
  const all = built.ok ? built.warnings : built.problems;
  return all.map(({ file, line, message }) => `${file}:${line}: ${message}`);
}

describe("what no zone may have", () => {
  test.each([
    {
      story: "no SOA",
      text: "@ 60 NS ns\nns 60 A 192.0.2.53\n",
      says: "example.zone:0: example. SOA is missing",
    },
    {
      story: "no NS",
      text: "@ 60 SOA ns host 7 2 3 4 5\n",
      says: "example.zone:0: example. NS is missing",
    },
    {
      story: "two SOAs",
      text: `${TOP}@ 60 SOA ns host 8 2 3 4 5\n`,
      says: "example.zone:1: example. SOA is there more than once",
    },
    {
      story: "a SOA elsewhere",
      text: `${TOP}www 60 SOA ns host 8 2 3 4 5\n`,
      says: "example.zone:4: www.example. SOA is not at the top of the zone",
    },
    {
      story: "a name of another zone",
      text: `${TOP}www.test. 60 A 192.0.2.1\n`,
      says: "example.zone:4: www.test. is not in the zone example.",
    },
    {
      story: "another class",
      text: `${TOP}www 60 CH A 192.0.2.1\n`,
      says: "example.zone:4: www.example. has a record not of class IN",
    },
    {
      story: "something beside a CNAME",
      text: `${TOP}\nwww 60 CNAME ns\nwww 60 A 192.0.2.1\n`,
      says: "example.zone:6: www.example. A stands beside a CNAME (RFC 1034, 3.6.2)",
    },
    {
      story: "two CNAMEs",
      text: `${TOP}www 60 CNAME ns\nwww 60 CNAME host\n`,
      says: "example.zone:4: www.example. CNAME is there more than once (RFC 1034, 3.6.2)",
    },
    {
      story: "two DNAMEs",
      text: `${TOP}www 60 DNAME a\nwww 60 DNAME b\n`,
      says: "example.zone:4: www.example. DNAME is there more than once (RFC 6672, 2.4)",
    },
    {
      story: "a set larger than a message",
      text:
        TOP +
        Array.from(
          { length: 300 },
          (_, i) =>
            `big 60 TXT ${Array(4)
              .fill(`"${i}${"x".repeat(240)}"`)
              .join(" ")}\n`,
        ).join(""),
      says: "example.zone:4: big.example. TXT is larger than any message",
    },
    {
      story: "an NSEC chain with a hole",
      text: `${TOP}@ 60 NSEC a A\n`,
      says: "example.zone:1: the NSEC of example. leads to a name that is not there",
    },
    {
      story: "an NSEC chain that ends",
      text: `${TOP}@ 60 NSEC ns A\n`,
      says: "example.zone:1: ns.example. has no NSEC, but the chain leads to it",
    },
    {
      story: "an NSEC chain that goes back",
      text: `${TOP}b 60 A 192.0.2.1\n@ 60 NSEC ns A\nns 60 NSEC b A\nb 60 NSEC @ A\n`,
      says: "example.zone:1: the NSEC of ns.example. leads backwards",
    },
    {
      story: "NSEC3PARAM without NSEC3",
      text: `${TOP}@ 60 NSEC3PARAM 1 0 0 -\n`,
      says: "example.zone:1: there is an NSEC3PARAM but no NSEC3 that fits",
    },
    {
      story: "NSEC3 that costs too much",
      text: `${TOP}@ 60 NSEC3PARAM 1 0 151 -\n`,
      says: "example.zone:1: NSEC3 with 151 iterations; more than 150 are not answered from (RFC 9276 wants 0)",
    },
    {
      story: "an NSEC3 of no hash",
      text: `${TOP}@ 60 NSEC3PARAM 1 0 0 -\nxyz 60 NSEC3 1 0 0 - 0p9mhaveqvm6t7vbl5lop2u3t2rp3tom A\n`,
      says: "example.zone:1: xyz.example. is no name for an NSEC3",
    },
    {
      story: "an NSEC3 chain with a hole",
      text: `${TOP}@ 60 NSEC3PARAM 1 0 0 -\n0p9mhaveqvm6t7vbl5lop2u3t2rp3tom 60 NSEC3 1 0 0 - 35mthgpgcu1qg68fab165klnsnk3dpvl A\n`,
      says: "example.zone:1: the NSEC3 of 0p9mhaveqvm6t7vbl5lop2u3t2rp3tom.example. does not lead to the next",
    },
    {
      story: "an NSEC3 chain without the apex",
      text: `${TOP}@ 60 NSEC3PARAM 1 0 0 -\n0p9mhaveqvm6t7vbl5lop2u3t2rp3tom 60 NSEC3 1 0 0 - 0p9mhaveqvm6t7vbl5lop2u3t2rp3tom A\n`,
      says: "example.zone:1: no NSEC3 stands for the name of the zone",
    },
    {
      story: "what no master file is",
      text: `${TOP}www 60 A 1.2.3\n`,
      says: "example.zone:4: expected",
    },
  ])("$story", ({ text, says }) => {
    const built = load(text);
    expect(built.ok).toBe(false);
    expect(messages(built)[0]).toStartWith(says);
  });

  test("not more of it than helps", () => {
    const built = load(
      TOP + Array.from({ length: 500 }, (_, i) => `n${i} 60 CNAME a\nn${i} 60 CNAME b\n`).join(""),
    );
    expect(messages(built)).toHaveLength(100);
  });
});

describe("what is odd", () => {
  test.each([
    {
      story: "TTLs of one set",
      text: "www 60 A 192.0.2.1\nwww 30 A 192.0.2.2\n",
      says: "www.example. A has several TTLs",
    },
    {
      story: "a signature of nothing",
      text: "www 60 RRSIG A 13 2 60 20300101000000 20200101000000 1 example. AAAA\n",
      says: "www.example. A signs nothing",
    },
    {
      story: "more than glue below a delegation",
      text: "sub 60 NS ns\nwww.sub 60 TXT x\n",
      says: "www.sub.example. TXT is never answered: it is below a delegation or a DNAME",
    },
    {
      story: "anything below a DNAME",
      text: "sub 60 DNAME test.\nwww.sub 60 TXT x\n",
      says: "www.sub.example. TXT is never answered: it is below a delegation or a DNAME",
    },
    {
      story: "a DS of ourselves",
      text: "www 60 DS 1 13 2 00\n",
      says: "www.example. DS is not at a delegation",
    },
    {
      story: "NS at a wildcard",
      text: "*.x 60 NS ns\n",
      says: "*.x.example. NS is at a wildcard, where it delegates nothing (RFC 4592, 4.2)",
    },
    {
      story: "a server without glue",
      text: "sub 60 NS ns.sub\n",
      says: "sub.example. NS leads to ns.sub.example., whose address must be given here",
    },
    {
      story: "a mail server that is not there",
      text: "@ 60 MX 1 mail\n",
      says: "example. MX leads to mail.example., which is not there",
    },
    {
      story: "a mail server without address",
      text: "@ 60 MX 1 mail\nmail 60 TXT x\n",
      says: "example. MX leads to mail.example., which has no address",
    },
    {
      story: "a mail server that is an alias",
      text: "@ 60 MX 1 mail\nmail 60 CNAME ns\n",
      says: "example. MX leads to mail.example., which is an alias (RFC 2181, 10.3)",
    },
    {
      story: "SRV alike",
      text: "_x 60 SRV 1 1 1 nowhere\n",
      says: "_x.example. SRV leads to nowhere.example., which is not there",
    },
  ])("$story", ({ text, says }) => {
    const built = load(TOP + text);
    expect(built.ok).toBe(true);
    expect(messages(built)).toEqual([expect.stringContaining(says)]);
  });

  test.each([
    { story: "no service at all", text: "_x 60 SRV 0 0 0 .\n@ 60 MX 0 .\n" },
    { story: "a wildcard has the address", text: "@ 60 MX 1 mail.w\n*.w 60 A 192.0.2.1\n" },
    { story: "another's server", text: "sub 60 NS ns.test.\n" },
    { story: "a server with glue", text: "sub 60 NS ns.sub\nns.sub 60 A 192.0.2.1\n" },
  ])("nothing about $story", ({ text }) => {
    expect(messages(load(TOP + text))).toEqual([]);
  });
});

describe("sets", () => {
  const built = load(
    `${TOP}www 60 A 192.0.2.1\nWWW 30 A 192.0.2.2\nwww 60 A 192.0.2.1\n${Array.from({ length: 40 }, (_, i) => `many 60 A 192.0.2.${i % 20}\n`).join("")}`,
  );
  if (!built.ok) throw new Error("cannot be built");

  test("have each record once (RFC 2181, 5), and the lowest TTL", () => {
    expect(ask(built.zone, "www.example A").answer).toEqual([
      "www.example. 30 A 192.0.2.1",
      "www.example. 30 A 192.0.2.2",
    ]);
    expect(ask(built.zone, "many.example A").answer).toHaveLength(20);
  });

  test("the zone knows its serial and its size", () => {
    expect(built.zone.serial).toBe(7);
    expect(built.zone.bytes).toBeGreaterThan(100);
  });
});

test("in turns it is the same", () => {
  const hosts = Array.from({ length: 5000 }, (_, i) => `h${i} 60 A 10.0.${i >> 8}.${i & 255}\n`);
  const turns = loadZoneInTurns(TOP + hosts.join(""), {
    file: "example.zone",
    origin: wire("example."),
  });
  let count = 0;
  let step = turns.next();
  for (; !step.done; step = turns.next()) count++;
  expect(count).toBeGreaterThan(5);
  expect(step.value.ok && ask(step.value.zone, "h4999.example A").answer).toEqual([
    "h4999.example. 60 A 10.0.19.135",
  ]);
});
