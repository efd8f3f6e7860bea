import { describe, expect, test } from "bun:test";
import { createPublicKey, type KeyObject, verify } from "node:crypto";
import { join } from "node:path";

import { $ } from "bun";

import { KeyRing } from "../../../../../src/services/dns/zone/signing/key-ring.ts";
import { Signer } from "../../../../../src/services/dns/zone/signing/signer.ts";
import { ZoneKey } from "../../../../../src/services/dns/zone/signing/zone-key.ts";
import { ZoneAnswerer } from "../../../../../src/services/dns/zone/zone-answerer.ts";
import { loadZone } from "../../../../../src/services/dns/zone/zone-builder.ts";
import type { Zone } from "../../../../../src/services/dns/zone/zone.ts";
import { lower, showName } from "../../../../../src/wire/dns/name.ts";
import { canonicalRdata } from "../../../../../src/wire/dns/rdata/canonical.ts";
import type { Rr } from "../../../../../src/wire/dns/rr.ts";
import { showType, TYPE } from "../../../../../src/wire/dns/types.ts";
import { temporary } from "../../../../fake/temporary.ts";
import { ask, messageOf, question, shown, wire } from "../ask.ts";
import { serve } from "../serve.ts";

const key = ZoneKey.generate();
const text = await Bun.file(join(import.meta.dir, "../everything.zone")).text();
const zone = signedHere(text);
const answerer = new ZoneAnswerer();

function signedHere(master: string): Zone {
  const signer = new Signer(wire("example."), new KeyRing(key), Date.now);
  const built = loadZone(master, { file: "example.zone", origin: wire("example.") }, signer);
  if (!built.ok) throw new Error(built.problems.map((p) => p.message).join("\n"));
  return built.zone;
}

/** Types and owners only: signatures are never twice the same. */
function brief(lines: readonly string[]): string[] {
  return lines.map((line) => line.replace(/(\d RRSIG \S+) .*/, "$1"));
}

const SOA = [
  "example. 300 SOA ns1.example. hostmaster.example. 2024010101 7200 900 1209600 300",
  "example. 300 RRSIG SOA",
];

describe("a zone signed as it is asked (RFC 9824)", () => {
  test.each([
    {
      story: "what is there",
      ask: "www.example AAAA +do",
      answer: ["www.example. 3600 AAAA 2001:db8::80", "www.example. 3600 RRSIG AAAA"],
    },
    {
      story: "nobody wants proof",
      ask: "www.example AAAA",
      answer: ["www.example. 3600 AAAA 2001:db8::80"],
    },
    {
      story: "no such name (3.1): it is there, with nothing",
      ask: "nope.example A +do",
      authority: [
        ...SOA,
        "nope.example. 300 NSEC \\000.nope.example. RRSIG NSEC NXNAME",
        "nope.example. 300 RRSIG NSEC",
      ],
    },
    {
      story: "who wants no proof hears the truth",
      ask: "nope.example A",
      status: "NXDOMAIN aa",
      authority: SOA.slice(0, 1),
    },
    {
      story: "no such type (3.2)",
      ask: "www.example TXT +do",
      authority: [
        ...SOA,
        "www.example. 300 NSEC \\000.www.example. A AAAA RRSIG NSEC",
        "www.example. 300 RRSIG NSEC",
      ],
    },
    {
      story: "an empty non-terminal has no NXNAME",
      ask: "ent.example A +do",
      authority: [
        ...SOA,
        "ent.example. 300 NSEC \\000.ent.example. RRSIG NSEC",
        "ent.example. 300 RRSIG NSEC",
      ],
    },
    {
      story: "a wildcard's is signed under the name asked, without more (3.3)",
      ask: "a.wild.example A +do",
      answer: ["a.wild.example. 3600 A 192.0.2.90", "a.wild.example. 3600 RRSIG A"],
    },
    {
      story: "and what the wildcard has not",
      ask: "a.wild.example MX +do",
      authority: [
        ...SOA,
        "a.wild.example. 300 NSEC \\000.a.wild.example. A TXT RRSIG NSEC",
        "a.wild.example. 300 RRSIG NSEC",
      ],
    },
    {
      story: "an unsigned delegation (3.4)",
      ask: "www.sub.example A +do",
      status: "NOERROR",
      authority: [
        "sub.example. 3600 NS ns.sub.example.",
        "sub.example. 3600 NS ns2.elsewhere.test.",
        "sub.example. 300 NSEC \\000.sub.example. NS RRSIG NSEC",
        "sub.example. 300 RRSIG NSEC",
      ],
      additional: ["ns.sub.example. 3600 A 192.0.2.100", "ns.sub.example. 3600 AAAA 2001:db8::100"],
    },
    {
      story: "a signed one",
      ask: "www.secure.example A +do",
      status: "NOERROR",
      authority: [
        "secure.example. 3600 NS ns.secure.example.",
        "secure.example. 3600 DS 12345 13 2 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        "secure.example. 3600 RRSIG DS",
      ],
      additional: ["ns.secure.example. 3600 A 192.0.2.101"],
    },
    {
      story: "the NSEC itself, of a name that is not there",
      ask: "nope.example NSEC +do",
      answer: [
        "nope.example. 300 NSEC \\000.nope.example. RRSIG NSEC NXNAME",
        "nope.example. 300 RRSIG NSEC",
      ],
    },
    {
      story: "an alias to nowhere",
      ask: "dangling.example A +do",
      answer: [
        "dangling.example. 3600 CNAME nowhere.example.",
        "dangling.example. 3600 RRSIG CNAME",
      ],
      authority: [
        ...SOA,
        "nowhere.example. 300 NSEC \\000.nowhere.example. RRSIG NSEC NXNAME",
        "nowhere.example. 300 RRSIG NSEC",
      ],
    },
    {
      story: "one signature is enough for RRSIG",
      ask: "www.example RRSIG +do",
      answer: ["www.example. 3600 RRSIG A"],
    },
  ])("$story: $ask", (row) => {
    const said = ask(zone, row.ask);
    expect({ ...said, answer: brief(said.answer), authority: brief(said.authority) }).toEqual({
      status: row.status ?? "NOERROR aa",
      answer: [...(row.answer ?? [])],
      authority: [...(row.authority ?? [])],
      additional: row.additional ?? [],
    });
  });

  test("NXDOMAIN for who takes it with such a proof (5.1)", () => {
    const { bytes, query } = question("nope.example A +do");
    query.edns.compact = true;
    const { status, authority } = shown(
      messageOf(bytes, query, answerer.answer(zone, bytes, query)),
    );
    expect(status).toBe("NXDOMAIN aa");
    expect(brief(authority)).toContain(
      "nope.example. 300 NSEC \\000.nope.example. RRSIG NSEC NXNAME",
    );
  });

  test("the key, and what the parent should have of it (RFC 7344)", () => {
    const { tag } = key;
    expect(ask(zone, "example DNSKEY").answer[0]).toStartWith("example. 3600 DNSKEY 257 3 13 ");
    expect(ask(zone, "example CDNSKEY").answer[0]).toStartWith("example. 3600 CDNSKEY 257 3 13 ");
    expect(ask(zone, "example CDS").answer[0]).toStartWith(`example. 3600 CDS ${tag} 13 2 `);
  });
});

test("a zone that is signed already is not signed again", () => {
  const master = `${text}\nwww 300 NSEC example. A\n`;
  const signer = new Signer(wire("example."), new KeyRing(key), Date.now);
  const built = loadZone(master, { file: "example.zone", origin: wire("example.") }, signer);
  expect(built).toMatchObject({
    ok: false,
    problems: [{ message: "www.example. is signed already, and is to be signed here" }],
  });
});

test("whatever is asked, every signature is right, and nothing of ours lacks one", () => {
  const open = publicKey();
  let verified = 0;
  for (let node = 0; node < zone.store.names.size; node++) {
    const name = showName(zone.store.names.name(node));
    for (const owner of [name, `x.${name}`])
      for (const type of [TYPE.A, TYPE.CNAME, TYPE.DS, TYPE.HTTPS, TYPE.MX, TYPE.NS, TYPE.TXT]) {
        const { bytes, query } = question(`${owner} ${showType(type)} +do`);
        const message = messageOf(bytes, query, answerer.answer(zone, bytes, query));
        for (const section of [message.answers, message.authorities])
          for (const set of setsOf(section)) {
            verified += set.signature ? 1 : 0;
            if (set.signature) expect(isRight(open, set.records, set.signature)).toBe(true);
            else expect(isNotOurs(set.records, message.answers)).toBe(true);
          }
      }
  }
  expect(verified).toBeGreaterThan(2000);
});

interface SignedSet {
  readonly records: readonly Rr[];
  readonly signature: Rr | undefined;
}

function setsOf(section: readonly Rr[]): SignedSet[] {
  const sets = Map.groupBy(
    section.filter((rr) => rr.type !== TYPE.RRSIG),
    (rr) => `${showName(lower(rr.name))} ${rr.type}`,
  );
  return [...sets].map(([id, records]) => ({
    records,
    signature: section.find(
      ({ name, type, rdata }) =>
        type === TYPE.RRSIG &&
        `${showName(lower(name))} ${((rdata[0] as number) << 8) | (rdata[1] as number)}` === id,
    ),
  }));
}

/** NS of a delegation, and the CNAME that a DNAME stands for. */
function isNotOurs(records: readonly Rr[], answers: readonly Rr[]): boolean {
  const [first] = records;
  if (first?.type === TYPE.NS) return first.name.length > wire("example.").length;
  return first?.type === TYPE.CNAME && answers.some((rr) => rr.type === TYPE.DNAME);
}

function publicKey(): KeyObject {
  const half = (from: number): string =>
    Buffer.from(key.dnskey.subarray(from, from + 32)).toString("base64url");
  return createPublicKey({
    format: "jwk",
    key: { kty: "EC", crv: "P-256", x: half(4), y: half(36) },
  });
}

/** RFC 4034, 3.1.8.1, from the message. */
function isRight(open: KeyObject, records: readonly Rr[], { rdata }: Rr): boolean {
  const head = 18 + wire("example.").length;
  const canonical = records
    .map((rr) => canonicalRdata(rr.type, rr.rdata))
    .sort((a, b) => Buffer.compare(a, b));
  const ttl = rdata.subarray(4, 8);
  const first = records[0] as Rr;
  const signed = canonical.flatMap((one) => [
    Buffer.from(lower(first.name)),
    Buffer.from([
      first.type >>> 8,
      first.type & 0xff,
      0,
      1,
      ...ttl,
      one.length >>> 8,
      one.length & 0xff,
    ]),
    Buffer.from(one),
  ]);
  const data = Buffer.concat([rdata.subarray(0, head), ...signed]);
  return verify("sha256", data, { key: open, dsaEncoding: "ieee-p1363" }, rdata.subarray(head));
}

describe.skipIf(Bun.which("delv") === null)("BIND's validator", () => {
  const validated = "; fully validated";
  const denied = "; negative response, fully validated";

  test("takes what we sign", async () => {
    await using directory = await temporary();
    using server = await serve(zone);
    const anchors = join(directory.path, "anchors");
    const base64 = Buffer.from(key.dnskey.subarray(4)).toString("base64");
    await Bun.write(anchors, `trust-anchors { example. static-key 257 3 13 "${base64}"; };\n`);
    const rows = [
      ["example SOA", validated],
      ["example DNSKEY", validated],
      ["example CDS", validated],
      ["example MX", validated],
      ["www.example TXT", denied],
      ["nope.example A", denied],
      ["ent.example A", denied],
      ["a.wild.example A", validated],
      ["a.wild.example MX", denied],
      ["*.wild.example A", validated],
      ["sub.example DS", denied],
      ["secure.example DS", validated],
      ["alias3.example A", validated],
      ["dangling.example A", validated],
      ["x.wildchain.example A", validated],
      ["www.dname.example A", validated],
      ["x.dname.example A", validated],
      ["types.example NAPTR", validated],
      ["types.example RP", validated],
      ["svc.example HTTPS", validated],
      ["nope.example NSEC", validated],
    ] as const;
    const said = await Promise.all(
      rows.map(async ([asked]) => {
        const flags = ["-p", String(server.port), "-a", anchors, "+root=example"];
        const { stdout } = await $`timeout 20 delv @127.0.0.1 ${flags} ${asked.split(" ")}`
          .quiet()
          .nothrow();
        return [asked, stdout.toString().split("\n")[0]];
      }),
    );
    expect(said).toEqual(rows.map(([asked, how]) => [asked, how]));
  }, 60_000);
});
