import { expect, test } from "bun:test";

import fc from "fast-check";

import { LATER, SECTIONS } from "../../../src/app/services.ts";
import { import3xsd } from "../../../src/config/import/three-xsd.ts";
import { load } from "../../../src/config/load.ts";
import { ConfigError } from "../../../src/config/problem.ts";
import type { DnsConfig } from "../../../src/services/dns/config.ts";

/** The dns section that an imported [3nsd] gives, read by the loader, and what was noted. */
function carried(lines: string) {
  const { yaml, notes } = import3xsd(`[3nsd]\n${lines}\n`, "3xsd.conf");
  const loaded = load(yaml, { file: "/etc/tern/tern.yaml", sections: SECTIONS, later: LATER });
  if (!loaded.ok) throw new ConfigError(loaded.problems);
  const { ns } = loaded.sections["dns"] as DnsConfig;
  return { ns, yaml, notes: notes.map(({ line, message }) => `${line}: ${message}`) };
}

/** `100 10.0.0.1 10.0.0.4 | 90 10.0.1.1`: TTL and addresses of each tier. */
function tiers(
  all: readonly { ttl: number | undefined; members: readonly { label: string }[] }[] = [],
  own = 0,
): string {
  return all
    .map(({ ttl, members }) => [ttl ?? own, ...members.map((m) => m.label)].join(" "))
    .join(" | ");
}

test("names, their tiers and their places, as 3nsd had them", () => {
  const { ns, notes } = carried(`
a.i.test = 100,10.0.0.1,10.0.0.4-6
_a.i.test = 90,10.0.1.1
__a.i.test = 100,10.0.2.1
a.i.test@AS/CN = 100,10.0.3.1
_a.i.test@AS/CN = 50,10.0.3.2
b.i.test = 60,10.0.0.9
geoip_db = /usr/share/GeoLite2-Country.mmdb`);
  const a = ns?.names["a.i.test"];
  expect(tiers(a?.tiers, a?.ttl)).toBe(
    "100 10.0.0.1 10.0.0.4 10.0.0.5 10.0.0.6 | 90 10.0.1.1 | 100 10.0.2.1",
  );
  expect(tiers(a?.geo[0]?.tiers, a?.ttl)).toBe("100 10.0.3.1 | 50 10.0.3.2");
  expect(a?.geo[0]?.keys).toEqual([
    { kind: "code", code: "AS" },
    { kind: "code", code: "CN" },
  ]);
  expect([a?.order, a?.answers, a?.all_down, a?.check?.kind]).toEqual([
    "roundrobin",
    "all",
    "nodata",
    "icmp",
  ]);
  expect(ns?.names["b.i.test"]?.ttl).toBe(60);
  expect(ns?.geoip).toEqual(["/usr/share/GeoLite2-Country.mmdb"]);
  expect(notes).toEqual([]);
});

test("the range resolve waits for its secret", () => {
  const { yaml, notes } = carried(`
left = l.test
right = r.test
range = left
range_suffix = i.test
lr_ttl = 600
ga.i.test = 100,0.0.0.0
ga.l.test = 100,10.0.0.1`);
  expect(yaml).toContain(
    "# lrrr: { side: left, left: l.test, right: r.test, suffix: i.test, secret: file:./lrrr.key, ttl: 600s }",
  );
  expect(notes).toEqual([
    "3: the range resolve is signed now: put the same secret in lrrr.key on both sides, and take the # away",
    "8: ga.i.test is a public name of the range resolve: it is one here without being listed",
  ]);
});

test.each([
  ["no comma", "a.test = 100", "2: a.test has no TTL and address: left out"],
  ["no TTL", "a.test = soon,10.0.0.1", "2: a.test has no TTL and address: left out"],
  [
    "a wrong address",
    "a.test = 100,10.0.0.1,10.0.0.300",
    '2: "10.0.0.300" is no address or range: left out',
  ],
  ["only wrong ones", "a.test = 100,x", '2: "x" is no address or range: left out'],
  ["no name", "a b = 100,10.0.0.1", '2: "a b" is no name: left out'],
  [
    "a tier beyond a gap",
    "a.test = 100,10.0.0.1\n__a.test = 100,10.0.0.2",
    "3: 3nsd never came to this tier of a.test: left out",
  ],
  [
    "a place alone",
    "a.test@EU = 100,10.0.0.1",
    "2: a.test has addresses for some places only: left out",
  ],
  [
    "places without a database",
    "a.test = 100,10.0.0.1\na.test@EU = 100,10.0.0.2",
    "2: names by place need geoip_db: 3nsd left them unused without",
  ],
])("%s is told", (_, lines, note) => expect(carried(lines).notes).toContain(note));

test("a tier without its name was a name", () => {
  expect(Object.keys(carried("_a.test = 100,10.0.0.1").ns?.names ?? {})).toEqual(["_a.test"]);
});

test("whatever the old file says, the new one loads", () => {
  const name = fc.stringMatching(/^_{0,2}[a-z@/.*-]{1,10}$/);
  const value = fc.stringMatching(/^[0-9a-z.,-]{0,30}$/);
  fc.assert(
    fc.property(fc.array(fc.tuple(name, value), { maxLength: 6 }), (settings) => {
      carried(settings.map(([key, text]) => `${key} = ${text}`).join("\n"));
    }),
    { numRuns: 20 }, // each is a config, loaded
  );
}, 20_000);
