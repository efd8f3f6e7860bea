import { describe, expect, test } from "bun:test";

import { ask, type Said, zoneOf } from "./ask.ts";

interface Row {
  readonly story: string;
  readonly ask: string;
  readonly status?: string;
  readonly answer?: readonly string[];
  readonly authority?: readonly string[];
  readonly additional?: readonly string[];
}

/** What a row says, in whole: "NOERROR aa" and nothing else where it is silent. */
function expected(row: Row): Said {
  return {
    status: row.status ?? "NOERROR aa",
    answer: row.answer ?? [],
    authority: row.authority ?? [],
    additional: row.additional ?? [],
  };
}

describe("wildcards, the zone of RFC 4592, 2.2.1", () => {
  const zone = zoneOf(
    "example.",
    `$TTL 3600
    @                  SOA  ns.example.com. host.example. 1 7200 900 86400 300
    @                  NS   ns.example.com.
    @                  NS   ns.example.net.
    *                  TXT  "this is a wildcard"
    *                  MX   10 host1.example.
    sub.*              TXT  "this is not a wildcard"
    host1              A    192.0.2.1
    _ssh._tcp.host1    SRV  0 0 22 host1
    _ssh._tcp.host2    SRV  0 0 22 host1
    subdel             NS   ns.example.com.
    subdel             NS   ns.example.net.`,
  );
  const soa = "example. 300 SOA ns.example.com. host.example. 1 7200 900 86400 300";
  const host1 = ["host1.example. 3600 A 192.0.2.1"];

  test.each<Row>([
    {
      story: "synthesized, because there is no such name",
      ask: "host3.example MX",
      answer: ["host3.example. 3600 MX 10 host1.example."],
      additional: host1,
    },
    { story: "no A at the wildcard", ask: "host3.example A", authority: [soa] },
    {
      story: "several labels under one asterisk",
      ask: "foo.bar.example TXT",
      answer: ['foo.bar.example. 3600 TXT "this is a wildcard"'],
    },
    { story: "the name is there, so no wildcard", ask: "host1.example MX", authority: [soa] },
    { story: "an asterisk asked for as such", ask: "sub.*.example MX", authority: [soa] },
    {
      story: "an empty non-terminal is there",
      ask: "_tcp.host1.example SRV",
      authority: [soa],
    },
    {
      story: "the closest encloser has no wildcard",
      ask: "_telnet._tcp.host1.example SRV",
      status: "NXDOMAIN aa",
      authority: [soa],
    },
    {
      story: "a delegation goes before a wildcard",
      ask: "host.subdel.example A",
      status: "NOERROR",
      authority: [
        "subdel.example. 3600 NS ns.example.com.",
        "subdel.example. 3600 NS ns.example.net.",
      ],
    },
    {
      story: "a wildcard is no wildcard's wildcard",
      ask: "ghost.*.example MX",
      status: "NXDOMAIN aa",
      authority: [soa],
    },
    {
      story: "the wildcard itself, asked for",
      ask: "*.example MX",
      answer: ["*.example. 3600 MX 10 host1.example."],
      additional: host1,
    },
  ])("$story: $ask", (row) => {
    expect(ask(zone, row.ask)).toEqual(expected(row));
  });
});

describe("wildcards and aliases", () => {
  const zone = zoneOf(
    "example.",
    `$TTL 60
    @             SOA   ns1 host 1 7200 900 86400 3600
    @             NS    ns1
    ns1           A     192.0.2.53
    *.w           CNAME www
    www           A     192.0.2.80
    *.empty.x     A     192.0.2.1 ; x and empty.x are only between
    a.*.ent       TXT   "the wildcard of ent is an empty non-terminal"
    *.far         CNAME elsewhere.test.
    *.chain       CNAME a.w`,
  );
  const soa = "example. 60 SOA ns1.example. host.example. 1 7200 900 86400 3600";
  test.each<Row>([
    {
      story: "an alias at a wildcard is followed",
      ask: "a.w.example A",
      answer: ["a.w.example. 60 CNAME www.example.", "www.example. 60 A 192.0.2.80"],
    },
    {
      story: "an alias is not followed for CNAME",
      ask: "a.w.example CNAME",
      answer: ["a.w.example. 60 CNAME www.example."],
    },
    {
      story: "out of the zone it is another's",
      ask: "a.far.example AAAA",
      answer: ["a.far.example. 60 CNAME elsewhere.test."],
    },
    {
      story: "from wildcard to wildcard",
      ask: "z.chain.example A",
      answer: [
        "z.chain.example. 60 CNAME a.w.example.",
        "a.w.example. 60 CNAME www.example.",
        "www.example. 60 A 192.0.2.80",
      ],
    },
    { story: "a wildcard that is only between", ask: "b.ent.example TXT", authority: [soa] },
    { story: "the name above a wildcard is there", ask: "empty.x.example A", authority: [soa] },
    { story: "and the one above that", ask: "x.example A", authority: [soa] },
    {
      story: "beside it there is nothing",
      ask: "y.x.example A",
      status: "NXDOMAIN aa",
      authority: [soa],
    },
  ])("$story: $ask", (row) => {
    expect(ask(zone, row.ask)).toEqual(expected(row));
  });
});

describe("aliases inside a zone", () => {
  const many = Array.from({ length: 30 }, (_, i) => `c${i} CNAME c${i + 1}`).join("\n");
  const zone = zoneOf(
    "example.",
    `$TTL 60
    @        SOA   ns1 host 1 7200 900 86400 30
    @        NS    ns1
    ns1      A     192.0.2.53
    a        CNAME b
    b        CNAME c
    c        A     192.0.2.3
    gone     CNAME nowhere
    text     CNAME c
    loop1    CNAME loop2
    loop2    CNAME loop1
    self     CNAME self
    deleg    CNAME www.sub
    sub      NS    ns.sub
    ns.sub   A     192.0.2.99
${many}`,
  );
  const soa = "example. 30 SOA ns1.example. host.example. 1 7200 900 86400 30";

  test.each<Row>([
    {
      story: "all the way",
      ask: "a.example A",
      answer: [
        "a.example. 60 CNAME b.example.",
        "b.example. 60 CNAME c.example.",
        "c.example. 60 A 192.0.2.3",
      ],
    },
    {
      story: "what the end does not have is denied (RFC 2308, 2.2)",
      ask: "text.example TXT",
      answer: ["text.example. 60 CNAME c.example."],
      authority: [soa],
    },
    {
      story: "the rcode is about the last name (RFC 2308, 2.1; RFC 6604, 3)",
      ask: "gone.example A",
      status: "NXDOMAIN aa",
      answer: ["gone.example. 60 CNAME nowhere.example."],
      authority: [soa],
    },
    {
      story: "a circle is said once",
      ask: "loop1.example A",
      answer: ["loop1.example. 60 CNAME loop2.example.", "loop2.example. 60 CNAME loop1.example."],
    },
    {
      story: "the smallest circle",
      ask: "self.example A",
      answer: ["self.example. 60 CNAME self.example."],
    },
    {
      story: "into a delegation: authoritative for the alias (RFC 1034, 6.2.7)",
      ask: "deleg.example A",
      answer: ["deleg.example. 60 CNAME www.sub.example."],
      authority: ["sub.example. 60 NS ns.sub.example."],
      additional: ["ns.sub.example. 60 A 192.0.2.99"],
    },
  ])("$story: $ask", (row) => {
    expect(ask(zone, row.ask)).toEqual(expected(row));
  });

  test("of a very long chain there is a beginning", () => {
    const { status, answer } = ask(zone, "c0.example A");
    expect(status).toBe("NOERROR aa");
    expect(answer.length).toBe(17);
  });
});

describe("DNAME (RFC 6672)", () => {
  const long = Array.from({ length: 4 }, (_, i) => String(i).repeat(55)).join(".");
  const zone = zoneOf(
    "example.",
    `$TTL 60
    @              SOA   ns1 host 1 7200 900 86400 30
    @              NS    ns1
    ns1            A     192.0.2.53
    frobozz        DNAME frobozz-division.acme
    frobozz        A     192.0.2.1
    www.frobozz-division.acme A 192.0.2.80
    out            DNAME elsewhere.test.
    circle         DNAME round.circle
    ping           DNAME pong
    pong           DNAME ping
    long           DNAME ${long}
    occluded.out   A     192.0.2.66`,
  );
  const soa = "example. 30 SOA ns1.example. host.example. 1 7200 900 86400 30";
  const frobozz = "frobozz.example. 60 DNAME frobozz-division.acme.example.";
  const synthesized = "www.frobozz.example. 60 CNAME www.frobozz-division.acme.example.";

  test.each<Row>([
    {
      story: "below it names are others'",
      ask: "www.frobozz.example A",
      answer: [frobozz, synthesized, "www.frobozz-division.acme.example. 60 A 192.0.2.80"],
    },
    {
      story: "the name itself is not",
      ask: "frobozz.example A",
      answer: ["frobozz.example. 60 A 192.0.2.1"],
    },
    { story: "asked for", ask: "frobozz.example DNAME", answer: [frobozz] },
    { story: "nothing else is at the name", ask: "frobozz.example TXT", authority: [soa] },
    {
      story: "the other name may not be there",
      ask: "ftp.frobozz.example A",
      status: "NXDOMAIN aa",
      answer: [frobozz, "ftp.frobozz.example. 60 CNAME ftp.frobozz-division.acme.example."],
      authority: [soa],
    },
    {
      story: "out of the zone, several labels",
      ask: "a.b.out.example A",
      answer: [
        "out.example. 60 DNAME elsewhere.test.",
        "a.b.out.example. 60 CNAME a.b.elsewhere.test.",
      ],
    },
    {
      story: "what is below is not seen (2.3)",
      ask: "occluded.out.example A",
      answer: [
        "out.example. 60 DNAME elsewhere.test.",
        "occluded.out.example. 60 CNAME occluded.elsewhere.test.",
      ],
    },
    {
      story: "a name that becomes too long (2.2)",
      ask: `${"x".repeat(40)}.long.example A`,
      status: "YXDOMAIN aa",
      answer: [`long.example. 60 DNAME ${long}.example.`],
    },
    {
      story: "to and fro is said once",
      ask: "x.ping.example A",
      answer: [
        "ping.example. 60 DNAME pong.example.",
        "x.ping.example. 60 CNAME x.pong.example.",
        "pong.example. 60 DNAME ping.example.",
        "x.pong.example. 60 CNAME x.ping.example.",
      ],
    },
  ])("$story: $ask", (row) => {
    expect(ask(zone, row.ask)).toEqual(expected(row));
  });

  test("a name that grows at each step comes to an end", () => {
    expect(ask(zone, "x.circle.example A").answer.length).toBeLessThan(30);
  });
});

describe("delegations (RFC 1034, 4.2.1; RFC 9471)", () => {
  const zone = zoneOf(
    "example.",
    `$TTL 60
    @                SOA  ns1 host 1 7200 900 86400 30
    @                NS   ns1
    @                NS   ns.elsewhere.test.
    ns1              A    192.0.2.53
    ns1              AAAA 2001:db8::53
    sub              NS   ns.sub
    sub              NS   ns.sibling
    sub              NS   ns1
    sub              NS   ns.elsewhere.test.
    sub              DS   1 13 2 0000000000000000000000000000000000000000000000000000000000000000
    ns.sub           A    192.0.2.1
    ns.sub           AAAA 2001:db8::1
    sibling          NS   ns.sibling
    ns.sibling       A    192.0.2.2
    deep.sub         A    192.0.2.3
    self             NS   self
    self             A    192.0.2.4`,
  );
  const soa = "example. 30 SOA ns1.example. host.example. 1 7200 900 86400 30";
  const ns = [
    "sub.example. 60 NS ns.sub.example.",
    "sub.example. 60 NS ns.sibling.example.",
    "sub.example. 60 NS ns1.example.",
    "sub.example. 60 NS ns.elsewhere.test.",
  ];
  const additional = [
    "ns.sub.example. 60 A 192.0.2.1",
    "ns.sub.example. 60 AAAA 2001:db8::1",
    "ns.sibling.example. 60 A 192.0.2.2",
    "ns1.example. 60 A 192.0.2.53",
    "ns1.example. 60 AAAA 2001:db8::53",
  ];
  const referral = { status: "NOERROR", authority: ns, additional };
  const ns1 = ["ns1.example. 60 A 192.0.2.53", "ns1.example. 60 AAAA 2001:db8::53"];

  test.each<Row>([
    { story: "below", ask: "www.sub.example A", ...referral },
    { story: "at it", ask: "sub.example A", ...referral },
    { story: "its NS are not ours", ask: "sub.example NS", ...referral },
    { story: "glue is not an answer", ask: "ns.sub.example A", ...referral },
    { story: "nor is what else is below", ask: "deep.sub.example A", ...referral },
    { story: "nor anything", ask: "sub.example ANY", ...referral },
    { story: "DS below it", ask: "x.sub.example DS", ...referral },
    {
      story: "DS at it is ours (RFC 4035, 3.1.4.1)",
      ask: "sub.example DS",
      answer: [`sub.example. 60 DS 1 13 2 ${"0".repeat(64)}`],
    },
    { story: "and that there is none too", ask: "sibling.example DS", authority: [soa] },
    {
      story: "a server that is the name itself",
      ask: "self.example AAAA",
      status: "NOERROR",
      authority: ["self.example. 60 NS self.example."],
      additional: ["self.example. 60 A 192.0.2.4"],
    },
    {
      story: "our own NS come with addresses",
      ask: "example NS",
      answer: ["example. 60 NS ns1.example.", "example. 60 NS ns.elsewhere.test."],
      additional: ns1,
    },
    { story: "DS of the apex is the parent's", ask: "example DS", authority: [soa] },
  ])("$story: $ask", (row) => {
    expect(ask(zone, row.ask)).toEqual(expected(row));
  });
});

describe("what else comes along", () => {
  const zone = zoneOf(
    "example.",
    `$TTL 60
    @        SOA   ns1 host 1 7200 900 86400 30
    @        NS    ns1
    @        MX    10 mail
    @        MX    20 alias
    @        MX    30 mx.elsewhere.test.
    ns1      A     192.0.2.53
    mail     A     192.0.2.25
    mail     AAAA  2001:db8::25
    alias    CNAME mail
    _s._tcp  SRV   0 0 1 mail
    web      HTTPS 1 . alpn=h2
    web      A     192.0.2.80
    pool     HTTPS 0 web
    off      HTTPS 0 .
    off      A     192.0.2.81
    _x.svc   SVCB  1 web port=9
    txt      TXT   "a" "b"
    txt      HINFO c d`,
  );
  const mail = ["mail.example. 60 A 192.0.2.25", "mail.example. 60 AAAA 2001:db8::25"];
  test.each<Row>([
    {
      story: "mail servers of the zone",
      ask: "example MX",
      answer: [
        "example. 60 MX 10 mail.example.",
        "example. 60 MX 20 alias.example.",
        "example. 60 MX 30 mx.elsewhere.test.",
      ],
      additional: mail,
    },
    {
      story: "SRV",
      ask: "_s._tcp.example SRV",
      answer: ["_s._tcp.example. 60 SRV 0 0 1 mail.example."],
      additional: mail,
    },
    {
      story: "HTTPS of the name itself (RFC 9460, 4.1)",
      ask: "web.example HTTPS",
      answer: ['web.example. 60 HTTPS 1 . alpn="h2"'],
      additional: ["web.example. 60 A 192.0.2.80"],
    },
    {
      story: "HTTPS as an alias",
      ask: "pool.example HTTPS",
      answer: ["pool.example. 60 HTTPS 0 web.example."],
      additional: ["web.example. 60 A 192.0.2.80", 'web.example. 60 HTTPS 1 . alpn="h2"'],
    },
    {
      story: "an alias of nothing says that there is no such service",
      ask: "off.example HTTPS",
      answer: ["off.example. 60 HTTPS 0 ."],
    },
    {
      story: "SVCB",
      ask: "_x.svc.example SVCB",
      answer: ["_x.svc.example. 60 SVCB 1 web.example. port=9"],
      additional: ["web.example. 60 A 192.0.2.80"],
    },
    {
      story: "any is one of them (RFC 8482, 4.1)",
      ask: "txt.example ANY",
      answer: ['txt.example. 60 HINFO "c" "d"'],
    },
  ])("$story: $ask", (row) => {
    expect(ask(zone, row.ask)).toEqual(expected(row));
  });
});

test("the TTL of a no is the less of two (RFC 2308, 5)", () => {
  const soa = (ttl: number, minimum: number) =>
    zoneOf("example.", `@ ${ttl} SOA a b 1 2 3 4 ${minimum}\n@ 60 NS ns.test.`);
  expect(soa(100, 300).negativeTtl).toBe(100);
  expect(soa(300, 100).negativeTtl).toBe(100);
  expect(ask(soa(300, 100), "x.example A").authority).toEqual([
    "example. 100 SOA a.example. b.example. 1 2 3 4 100",
  ]);
});

test("the root can be served", () => {
  const root = zoneOf(
    ".",
    `. 60 SOA a. b. 1 2 3 4 5\n. 60 NS a.\ncom. 60 NS ns.com.\nns.com. 60 A 192.0.2.1\na. 60 A 192.0.2.2`,
  );
  expect(ask(root, "www.example.com A")).toEqual({
    status: "NOERROR",
    answer: [],
    authority: ["com. 60 NS ns.com."],
    additional: ["ns.com. 60 A 192.0.2.1"],
  });
  expect(ask(root, ". NS").answer).toEqual([". 60 NS a."]);
  expect(ask(root, "nowhere. A").status).toBe("NXDOMAIN aa");
});

test("case is kept where it was asked, and does not matter", () => {
  const zone = zoneOf("Example.", `@ 60 SOA NS hM 1 2 3 4 5\n@ 60 NS Ns\nNs 60 A 192.0.2.1`);
  expect(ask(zone, "nS.eXample A").answer).toEqual(["nS.eXample. 60 A 192.0.2.1"]);
});
