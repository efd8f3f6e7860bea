import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";

import { dig, said, type Serving, serving } from "./serving.ts";

const keys = {
  zones: { "example.net": { dnssec: "online" } },
  names: {
    "geo.example.net": { ttl: 60, tiers: [["192.0.2.70", "192.0.2.71"]], check: null },
    "below.ent.example.net": { ttl: 60, tiers: [["2001:db8::70"]], check: null },
  },
};

describe.skipIf(Bun.which("delv") === null)("a zone signed as it is asked", () => {
  let server: Serving;
  let anchors: string;

  beforeAll(async () => {
    server = await serving(keys);
    const dnskey = await dig(server.port, "+short", "example.net", "DNSKEY");
    const [flags, protocol, algorithm, ...key] = dnskey.trim().split(" ");
    anchors = join(server.dir, "anchors");
    await Bun.write(
      anchors,
      `trust-anchors { example.net. static-key ${flags} ${protocol} ${algorithm} "${key.join("")}"; };\n`,
    );
  });
  afterAll(() => server[Symbol.asyncDispose]());

  async function delv(name: string, type: string): Promise<string> {
    const where = ["@127.0.0.1", "-p", String(server.port), "-a", anchors, "+root=example.net"];
    return said("delv", ...where, name, type);
  }

  test.each([
    { story: "of the zone", name: "www.example.net", type: "A", says: "; fully validated" },
    {
      story: "that is not there",
      name: "nope.example.net",
      type: "A",
      says: "; negative response, fully validated",
    },
    {
      story: "without such a type",
      name: "www.example.net",
      type: "TXT",
      says: "; negative response, fully validated",
    },
    { story: "of a wildcard", name: "a.wild.example.net", type: "TXT", says: "; fully validated" },
    { story: "that is computed", name: "geo.example.net", type: "A", says: "; fully validated" },
    {
      story: "that is computed, without such a type",
      name: "geo.example.net",
      type: "AAAA",
      says: "; negative response, fully validated",
    },
    {
      story: "that is computed, of IPv6",
      name: "below.ent.example.net",
      type: "AAAA",
      says: "; fully validated",
    },
    {
      story: "above a computed one",
      name: "ent.example.net",
      type: "A",
      says: "; negative response, fully validated",
    },
  ])("a name $story is validated by delv: $name $type", async ({ name, type, says }) => {
    expect((await delv(name, type)).split("\n")[0]).toBe(says);
  });

  test("who does not ask for signatures gets none", async () => {
    expect(await dig(server.port, "+noall", "+answer", "geo.example.net", "A")).not.toContain(
      "RRSIG",
    );
    expect(await dig(server.port, "nope.example.net", "A")).toContain("status: NXDOMAIN");
  });

  test("a computed name says what it has, and not what was asked", async () => {
    const answer = await dig(server.port, "+dnssec", "geo.example.net", "AAAA");
    expect(answer).toMatch(
      /geo\.example\.net\.\s+\d+\s+IN\s+NSEC\s+\\000\.geo\.example\.net\. A RRSIG NSEC\n/,
    );
  });

  test("a name above a computed one is there, for those who care (RFC 9824, 3.2)", async () => {
    const answer = await dig(server.port, "+dnssec", "ent.example.net", "A");
    expect(answer).toMatch(/IN\s+NSEC\s+\\000\.ent\.example\.net\. RRSIG NSEC\n/);
    expect(await dig(server.port, "ent.example.net", "A")).toContain("status: NOERROR");
  });

  test("status shows what the parent should have, which is the CDS", async () => {
    const cds = await dig(server.port, "+short", "example.net", "CDS");
    const status = (await server.instance.actions?.["status"]?.run({})) as Record<
      string,
      { zones: { keys: { ds: string }[]; signed: boolean }[] }
    >;
    const [zone] = status["ns"]?.zones ?? [];
    expect(zone?.signed).toBe(true);
    expect(zone?.keys[0]?.ds.toLowerCase().split(" ")).toEqual([
      ...cds.trim().split(" ").slice(0, 3),
      cds.trim().split(" ").slice(3).join("").toLowerCase(),
    ]);
  });

  test("the key stays", async () => {
    const before = await dig(server.port, "+short", "example.net", "DNSKEY");
    await server.reload();
    expect(await dig(server.port, "+short", "example.net", "DNSKEY")).toBe(before);
  });
});

test("it cannot be transferred: signatures would not come along", () => {
  const zones = { "example.net": { dnssec: "online", transfer: ["127.0.0.1"] } };
  expect(serving({ zones })).rejects.toThrow("cannot be transferred");
});

test("what is signed already, is not signed here", () => {
  const zone = "@ 60 SOA a b 1 2 3 4 5\n@ 60 NS a\na 60 A 192.0.2.1\n@ 60 NSEC a SOA\n";
  expect(serving({ zones: keys.zones }, { "example.net": zone })).rejects.toThrow(
    "is signed already, and is to be signed here",
  );
});
