import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";

import { CertificateStore } from "../../../src/net/tls/store.ts";
import { dig, said, type Serving, serving } from "./serving.ts";

const HERE = "_acme-challenge.example.net";

describe("proofs for a CA", () => {
  const store = new CertificateStore();
  let server: Serving;
  beforeAll(async () => {
    server = await serving(
      { names: { "geo.example.net": { tiers: [["192.0.2.70"]], check: null } } },
      {
        "example.net": `$ORIGIN example.net.\n$TTL 300\n@ SOA ns1 h 7 3600 900 1209600 300\n@ NS ns1\nns1 A 192.0.2.1\n_acme-challenge.old TXT "of the zone"\n`,
      },
      { certificates: store },
    );
  });
  afterAll(() => server[Symbol.asyncDispose]());

  const ask = (...question: string[]): Promise<string> =>
    dig(server.port, "+noall", "+comments", "+answer", ...question);

  test.each([
    { story: "the zone's own name", name: HERE },
    { story: "in another case", name: "_ACME-Challenge.Example.Net", at: HERE },
    { story: "a name that is not in the zone", name: "_acme-challenge.a.b.example.net" },
    { story: "a name whose record was asked before", name: "_acme-challenge.old.example.net" },
    { story: "below a computed name", name: "_acme-challenge.geo.example.net" },
  ])("are told while they are there, and then the zone is again: $story", async (row) => {
    const { name } = row;
    const before = await ask(name, "TXT");
    store.change({ records: { [("at" in row && row.at) || name]: "the-proof" } });
    const during = await ask(name, "TXT");
    expect(during).toMatch(/status: NOERROR[^]*flags: qr aa[^]*\s1\s+IN\s+TXT\s+"the-proof"\n/);
    const other = await ask(name, "A");
    expect(other).not.toContain("the-proof");
    store.change({ records: {} });
    const strip = (text: string): string => text.replace(/id: \d+|COOKIE: .*/g, "");
    expect(strip(await ask(name, "TXT"))).toBe(strip(before));
  });

  test("are not told of zones of others", async () => {
    store.change({ records: { "_acme-challenge.example.org": "the-proof" } });
    expect(await ask("_acme-challenge.example.org", "TXT")).toContain("status: REFUSED");
    store.change({ records: {} });
  });
});

describe.skipIf(Bun.which("delv") === null)(
  "proofs in a zone that is signed as it is asked",
  () => {
    test("are signed as well", async () => {
      const store = new CertificateStore();
      await using server = await serving(
        { zones: { "example.net": { dnssec: "online" } } },
        undefined,
        { certificates: store },
      );
      store.change({ records: { [HERE]: "the-proof" } });
      const dnskey = await dig(server.port, "+short", "example.net", "DNSKEY");
      const [flags, protocol, algorithm, ...key] = dnskey.trim().split(" ");
      const anchors = join(server.dir, "anchors");
      await Bun.write(
        anchors,
        `trust-anchors { example.net. static-key ${flags} ${protocol} ${algorithm} "${key.join("")}"; };\n`,
      );
      const where = ["@127.0.0.1", "-p", String(server.port), "-a", anchors, "+root=example.net"];
      const validated = await said("delv", ...where, HERE, "TXT");
      expect(validated).toStartWith("; fully validated");
      expect(validated).toContain('"the-proof"');
    });
  },
);
