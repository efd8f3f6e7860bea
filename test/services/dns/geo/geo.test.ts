import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import fc from "fast-check";
import * as v from "valibot";

import { systemClock } from "../../../../src/core/clock.ts";
import { noHealth } from "../../../../src/net/health/health.ts";
import { Atlas } from "../../../../src/services/dns/geo/atlas.ts";
import { commonBits } from "../../../../src/services/dns/geo/bits.ts";
import { placeKeys } from "../../../../src/services/dns/geo/place-key.ts";
import { Places } from "../../../../src/services/dns/geo/places.ts";
import { ComputedNames } from "../../../../src/services/dns/names/computed-names.ts";
import { names as schema } from "../../../../src/services/dns/names/config.ts";
import { ManualStates } from "../../../../src/services/dns/names/manual-states.ts";
import { mmdb } from "../../../fake/mmdb.ts";
import { address, ask, type Asked, SEED } from "../names/ask.ts";

const dir = mkdtempSync(join(tmpdir(), "tern-geo-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function file(name: string, bytes: Uint8Array): string {
  const path = join(dir, name);
  writeFileSync(path, bytes);
  return path;
}

const place = (continent: string, country: string) => ({
  continent: { code: continent },
  country: { iso_code: country },
});
const countries = file(
  "country.mmdb",
  mmdb({
    "198.51.0.0/16": place("AS", "CN"),
    "198.52.0.0/16": place("AS", "JP"),
    "198.53.0.0/16": place("NA", "US"),
    "198.53.128.0/20": place("EU", "DE"),
    "198.54.0.0/16": { continent: { code: "EU" } },
    "2001:db8:1::/48": place("AS", "JP"),
  }),
);
const systems = file(
  "asn.mmdb",
  mmdb(
    {
      "198.53.7.0/24": { autonomous_system_number: 64500 },
      "198.51.100.0/22": { autonomous_system_number: 64501 },
    },
    4,
  ),
);

describe("places", () => {
  const places = Places.open([countries, systems]);
  test.each([
    { client: "198.51.7.9", is: { continent: "AS", country: "CN", asn: 0 }, bits: 18 },
    { client: "198.51.101.9", is: { continent: "AS", country: "CN", asn: 64501 }, bits: 22 },
    { client: "198.53.7.9", is: { continent: "NA", country: "US", asn: 64500 }, bits: 24 },
    { client: "198.53.130.9", is: { continent: "EU", country: "DE", asn: 0 }, bits: 20 },
    { client: "198.54.0.1", is: { continent: "EU", country: "", asn: 0 }, bits: 16 },
    { client: "10.0.0.1", is: { continent: "", country: "", asn: 0 }, bits: 1 },
    // The AS database has no IPv6: nothing is made up.
    { client: "2001:db8:1::9", is: { continent: "AS", country: "JP", asn: 0 }, bits: 48 },
  ])("$client", ({ client, is, bits }) => {
    const bytes = address(client);
    const length = bytes.length === 4 ? 4 : 16;
    const found = places.locate(bytes, length);
    expect(found).toMatchObject(is);
    expect(found.bits).toBe(bits); // the finer of both databases
    expect(places.locate(bytes, length)).toBe(found);
  });

  test("all of the network that is told is in one place", () => {
    fc.assert(
      fc.property(fc.nat(255), fc.nat(255), fc.nat(0xffffffff), (c, d, other) => {
        const client = Uint8Array.of(198, 51 + (c % 4), c, d);
        const { bits, ...is } = places.locate(client, 4);
        const mask = bits === 0 ? 0 : (0xffffffff << (32 - bits)) >>> 0;
        const word = new DataView(client.buffer).getUint32(0);
        const neighbour = new Uint8Array(4);
        new DataView(neighbour.buffer).setUint32(0, ((word & mask) | (other & ~mask)) >>> 0);
        expect(places.locate(neighbour, 4)).toMatchObject(is);
      }),
    );
  });

  test("what is no database is told by its name", () => {
    const path = file("broken.mmdb", new Uint8Array(100));
    expect(() => Places.open([path])).toThrow(path);
    expect(() => Places.open([join(dir, "missing.mmdb")])).toThrow("missing.mmdb");
  });

  test("it forgets the oldest, not everything", () => {
    for (let i = 0; i < 40_000; i++) places.locate(Uint8Array.of(10, i >> 16, i >> 8, i), 4);
    expect(places.locate(address("198.51.7.9"), 4).country).toBe("CN");
  });
});

test.each([
  { text: "AS/CN", keys: ["AS", "CN"] },
  { text: "us/jp", keys: ["US", "JP"] },
  { text: "AS64500", keys: [64500] },
  { text: "AS4294967296", keys: undefined },
  { text: "EU/AS64500", keys: ["EU", 64500] },
  { text: "Europe", keys: undefined },
  { text: "", keys: undefined },
  { text: "DE/", keys: undefined },
  { text: "10.0.0.0/8", keys: ["10.0.0.0/8"] },
  { text: "2001:db8::/32", keys: ["2001:db8::/32"] },
  { text: "10.0.0.0/33", keys: undefined },
])("a place is written $text", ({ text, keys }) => {
  const read = placeKeys(text)?.map((key) =>
    key.kind === "code" ? key.code : key.kind === "as" ? key.number : text,
  );
  expect<unknown>(read).toEqual(keys);
});

test("common bits", () => {
  const pair = fc.tuple(
    fc.uint8Array({ minLength: 4, maxLength: 4 }),
    fc.uint8Array({ minLength: 4, maxLength: 4 }),
  );
  const text = (bytes: Uint8Array) =>
    [...bytes].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  fc.assert(
    fc.property(pair, ([a, b]) => {
      const common = commonBits(a, b);
      expect(text(a).slice(0, common)).toBe(text(b).slice(0, common));
      if (common < 32) expect(text(a)[common]).not.toBe(text(b)[common]);
    }),
  );
});

describe("the nearest thing said of a client", () => {
  const keys = (...texts: string[]) => texts.map((text) => placeKeys(text) ?? []);
  const atlas = new Atlas(keys("AS", "CN", "AS64501", "198.51.100.0/24", "198.51.100.64/26"));
  const places = Places.open([countries, systems]);
  test.each([
    { story: "nothing", client: "10.0.0.1", variant: 0 },
    { story: "its continent", client: "198.52.0.1", variant: 1 },
    { story: "its country, which is nearer", client: "198.51.7.1", variant: 2 },
    { story: "its AS", client: "198.51.101.1", variant: 3 },
    { story: "its network", client: "198.51.100.1", variant: 4 },
    { story: "the smaller of two networks", client: "198.51.100.65", variant: 5 },
    { story: "its continent, over IPv6", client: "2001:db8:1::1", variant: 1 },
  ])("$story", ({ client, variant }) => {
    const bytes = address(client);
    atlas.find(bytes, bytes.length === 4 ? 4 : 16, places);
    expect(atlas.variant).toBe(variant);
  });

  test("the scope is never wider than those who get the same", () => {
    fc.assert(
      fc.property(fc.nat(3), fc.nat(255), fc.nat(255), fc.nat(0xffffffff), (b, c, d, other) => {
        const client = Uint8Array.of(198, 51 + b, b === 0 ? 96 + (c % 8) : c, d);
        atlas.find(client, 4, places);
        const { variant, bits } = atlas;
        const mask = bits === 0 ? 0 : (0xffffffff << (32 - bits)) >>> 0;
        const word = new DataView(client.buffer).getUint32(0);
        const neighbour = new Uint8Array(4);
        new DataView(neighbour.buffer).setUint32(0, ((word & mask) | (other & ~mask)) >>> 0);
        atlas.find(neighbour, 4, places);
        expect(atlas.variant).toBe(variant);
      }),
    );
  });
});

describe("names by place", () => {
  const config = {
    "a.i.test": {
      tiers: [["10.0.0.1"]],
      geo: {
        "AS/CN": [["10.0.1.1"], ["10.0.1.2"]],
        "US/JP": ["10.0.2.1"],
        "203.0.113.0/24": ["10.0.3.1"],
      },
      check: { kind: "icmp" },
    },
    "everywhere.test": { tiers: [["10.0.0.1"]] },
  };
  const make = async (ecs = true, down: readonly string[] = []) => {
    const names = await ComputedNames.prepare(v.parse(schema, config), {
      health: {
        watch: async (targets) => ({
          verdicts: targets.map(({ host }) => ({
            state: down.includes(host) ? "down" : "up",
            since: 0,
            why: "",
          })),
          hurry() {},
          close() {},
        }),
      },
      states: ManualStates.open(join(dir, "states.json")),
      places: Places.open([countries]),
      lrrr: undefined,
      ecs,
      seed: SEED,
      dice: () => 0,
      clock: systemClock,
      worker: 0,
      soaFor: () => undefined,
    });
    return (asked: Asked, name = "a.i.test") => {
      const { answers } = ask(
        (query, via, writer) => names.answer(query, via, writer),
        name,
        asked,
      );
      return [answers.join(" ").replaceAll("A ", ""), names.scope];
    };
  };

  test.each([
    { story: "who is nowhere", asked: { from: "192.0.2.1" }, gets: ["10.0.0.1", 0] },
    { story: "by continent", asked: { from: "198.51.7.1" }, gets: ["10.0.1.1", 0] },
    {
      story: "a country is nearer than its continent",
      asked: { from: "198.52.7.1" },
      gets: ["10.0.2.1", 0],
    },
    { story: "by network", asked: { from: "203.0.113.9" }, gets: ["10.0.3.1", 0] },
    {
      story: "the client counts, not its resolver",
      asked: { from: "192.0.2.1", subnet: "198.51.7.0/24" },
      gets: ["10.0.1.1", 16],
    },
    {
      story: "the scope may be narrower than what was told",
      asked: { subnet: "198.53.0.0/16" },
      gets: ["10.0.2.1", 17],
    },
    {
      story: "a neighbour of a network",
      asked: { subnet: "203.0.112.0/24" },
      gets: ["10.0.0.1", 24],
    },
    { story: "IPv6", asked: { subnet: "2001:db8:1::/56" }, gets: ["10.0.2.1", 48] },
    {
      story: "who wants not to be told of is its resolver",
      asked: { from: "198.51.7.1", subnet: "0.0.0.0/0" },
      gets: ["10.0.1.1", 0],
    },
  ])("$story", async ({ asked, gets }) => {
    expect<unknown>((await make())(asked)).toEqual(gets);
  });

  test("a name without places is the same for all", async () => {
    expect((await make())({ subnet: "198.51.7.0/24" }, "everywhere.test")).toEqual(["10.0.0.1", 0]);
  });

  test("without ecs nobody is believed", async () => {
    expect((await make(false))({ from: "192.0.2.1", subnet: "198.51.7.0/24" })).toEqual([
      "10.0.0.1",
      0,
    ]);
  });

  test.each([
    { down: ["10.0.1.1"], gets: "10.0.1.2" },
    { down: ["10.0.1.1", "10.0.1.2"], gets: "10.0.0.1" }, // everybody's, as in 3nsd when no place fits
  ])("a place that loses $down is given $gets", async ({ down, gets }) => {
    expect((await make(true, down))({ from: "198.51.7.1" })).toEqual([gets, 0]);
  });

  test("places without a database are a mistake", () => {
    const made = ComputedNames.prepare(v.parse(schema, config), {
      health: noHealth,
      states: ManualStates.open(join(dir, "states.json")),
      places: undefined,
      lrrr: undefined,
      ecs: true,
      seed: 0,
      dice: () => 0,
      clock: systemClock,
      worker: 0,
      soaFor: () => undefined,
    });
    expect(made).rejects.toThrow("a.i.test. answers by place");
  });
});
