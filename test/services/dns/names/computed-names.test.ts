import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import * as v from "valibot";

import { load } from "../../../../src/config/load.ts";
import { Secret } from "../../../../src/config/secret.ts";
import { systemClock } from "../../../../src/core/clock.ts";
import type { Target } from "../../../../src/net/health/check.ts";
import type { Health, Verdict } from "../../../../src/net/health/health.ts";
import {
  ComputedNames,
  type NamesParts,
} from "../../../../src/services/dns/names/computed-names.ts";
import { names as schema } from "../../../../src/services/dns/names/config.ts";
import { ManualStates } from "../../../../src/services/dns/names/manual-states.ts";
import { showName } from "../../../../src/wire/dns/name.ts";
import { FakeClock } from "../../../fake/clock.ts";
import { ask, type Asked, SEED } from "./ask.ts";

const state = mkdtempSync(join(tmpdir(), "tern-names-"));
afterAll(() => rmSync(state, { recursive: true, force: true }));

/** Health that a test turns by address. */
class Ward implements Health {
  targets: readonly Target[] = [];
  #down = new Set<string>();
  #changed = () => {};
  closed = false;

  async watch(targets: readonly Target[], changed: () => void) {
    this.targets = targets;
    this.#changed = changed;
    const verdicts = () => this.#verdicts();
    return {
      get verdicts() {
        return verdicts();
      },
      hurry() {},
      close: () => void (this.closed = true),
    };
  }
  down(...hosts: string[]): void {
    this.#down = new Set(hosts);
    this.#changed();
  }
  #verdicts(): Verdict[] {
    return this.targets.map(({ host }) =>
      this.#down.has(host)
        ? { state: "down", since: 2, why: "timeout" }
        : { state: "up", since: 1, why: "" },
    );
  }
}

let files = 0;

/** Names of a config, as an operator writes it, and everything around them. */
async function made(config: object, parts: Partial<NamesParts> = {}) {
  const ward = new Ward();
  const clock = { now: 0 };
  const file = join(state, `${files++}.json`);
  const all: NamesParts = {
    health: ward,
    states: ManualStates.open(file),
    places: undefined,
    lrrr: undefined,
    ecs: true,
    seed: SEED,
    dice: () => 0.5,
    clock: { ...systemClock, now: () => clock.now },
    worker: 0,
    soaFor: () => undefined,
    ...parts,
  };
  const names = await ComputedNames.prepare(v.parse(schema, config), all);
  const tell = (name: string, asked: Asked = {}) =>
    ask((query, via, writer) => names.answer(query, via, writer), name, {
      now: clock.now,
      ...asked,
    });
  return { names, ward, clock, file, ask: tell, a: (name: string) => tell(name).answers.join(" ") };
}

const icmp = { kind: "icmp" };

describe("3xsd's trace", () => {
  const config = {
    "a.i.example.net": {
      ttl: 100,
      tiers: [
        ["10.0.0.1", "10.0.0.4-6"],
        { ttl: 90, members: ["10.0.1.1"] },
        { ttl: 80, members: ["10.0.2.1"] },
      ],
      check: icmp,
      all_down: "nodata",
    },
  };

  test("answers start one further each time", async () => {
    const { a } = await made(config);
    const first = () => a("a.i.example.net").split(" ").slice(0, 2).join(" ");
    expect([first(), first(), first(), first(), first()]).toEqual([
      "A 10.0.0.1",
      "A 10.0.0.4",
      "A 10.0.0.5",
      "A 10.0.0.6",
      "A 10.0.0.1",
    ]);
  });

  const first = ["10.0.0.1", "10.0.0.4", "10.0.0.5", "10.0.0.6"];
  test.each([
    { story: "all are well", down: [], ttl: 100, answers: first },
    { story: "one is down", down: ["10.0.0.1"], ttl: 100, answers: first.slice(1) },
    { story: "the tier is down", down: first, ttl: 90, answers: ["10.0.1.1"] },
    { story: "two are", down: [...first, "10.0.1.1"], ttl: 80, answers: ["10.0.2.1"] },
    { story: "the second alone is", down: ["10.0.1.1"], ttl: 100, answers: first },
  ])("$story", async ({ down, ttl, answers }) => {
    const { ask, ward } = await made(config);
    ward.down(...down);
    const told = ask("a.i.example.net");
    expect(told.answers.toSorted()).toEqual(answers.map((one) => `A ${one}`));
    expect(told.ttl).toBe(ttl);
  });

  test("nobody is left: an empty answer, with the SOA that makes it one", async () => {
    const { ask, ward } = await made(config);
    ward.down(...first, "10.0.1.1", "10.0.2.1");
    const told = ask("a.i.example.net");
    expect([told.rcode, told.answers, told.authorities]).toEqual([
      "NOERROR",
      [],
      ["a.i.example.net. SOA"],
    ]);
    ward.down();
    expect(ask("a.i.example.net").answers).toHaveLength(4); // at once: nothing remembers the failure
  });
});

describe("when all are down", () => {
  const both = {
    "x.test": { tiers: [["10.0.0.1"], ["10.0.0.2", "10.0.0.3"]], check: icmp, order: "fixed" },
  };
  const with_ = (all_down?: string) => ({
    "x.test": { ...both["x.test"], ...(all_down && { all_down }) },
  });
  test.each([
    { all_down: undefined, rcode: "NOERROR", answers: ["A 10.0.0.1", "A 10.0.0.2", "A 10.0.0.3"] },
    { all_down: "serve", rcode: "NOERROR", answers: ["A 10.0.0.1", "A 10.0.0.2", "A 10.0.0.3"] },
    { all_down: "last", rcode: "NOERROR", answers: ["A 10.0.0.2", "A 10.0.0.3"] },
    { all_down: "nodata", rcode: "NOERROR", answers: [] },
    { all_down: "nxdomain", rcode: "NXDOMAIN", answers: [] },
    { all_down: "servfail", rcode: "SERVFAIL", answers: [] },
  ])("all_down: $all_down", async ({ all_down, rcode, answers }) => {
    const { ask, ward } = await made(with_(all_down));
    ward.down("10.0.0.1", "10.0.0.2", "10.0.0.3");
    const told = ask("x.test");
    expect([told.rcode, told.answers]).toEqual([rcode, answers]);
    expect(told.authorities).toEqual(
      answers.length > 0 || rcode === "SERVFAIL" ? [] : ["x.test. SOA"],
    );
  });
});

describe("types", () => {
  const config = {
    "both.test": {
      tiers: [
        ["10.0.0.1", "2001:db8::1"],
        ["10.0.9.1", "2001:db8::9"],
      ],
      check: icmp,
    },
    "four.test": { tiers: [["10.0.0.1"]] },
    "alias.test": { tiers: [["10.0.0.1"], ["backup.example.org"]], check: icmp },
    "_sip._tcp.test": {
      tiers: [
        [
          { srv: { priority: 10, port: 5060, target: "sip1.test" }, address: "10.0.0.1" },
          { srv: { priority: 20, port: 5060, target: "sip2.test" }, address: "10.0.0.2" },
        ],
      ],
      check: { kind: "tcp", port: 5060 },
      order: "fixed",
    },
    "txt.test": { tiers: [[{ txt: "hello" }, { txt: "world" }]], order: "fixed" },
  };
  test.each([
    { name: "both.test", type: "A", answers: ["A 10.0.0.1"] },
    { name: "both.test", type: "AAAA", answers: ["AAAA 2001:db8::1"] },
    { name: "four.test", type: "AAAA", answers: [] },
    { name: "four.test", type: "MX", answers: [] },
    { name: "four.test", type: "HTTPS", answers: [] },
    { name: "four.test", type: "ANY", answers: ["A 10.0.0.1"] },
    { name: "alias.test", type: "A", answers: ["A 10.0.0.1"] },
    { name: "alias.test", type: "A", down: ["10.0.0.1"], answers: ["CNAME backup.example.org."] },
    {
      name: "alias.test",
      type: "AAAA",
      down: ["10.0.0.1"],
      answers: ["CNAME backup.example.org."],
    },
    {
      name: "_sip._tcp.test",
      type: "SRV",
      answers: ["SRV 10 0 5060 sip1.test.", "SRV 20 0 5060 sip2.test."],
    },
    {
      name: "_sip._tcp.test",
      type: "SRV",
      down: ["10.0.0.1"],
      answers: ["SRV 20 0 5060 sip2.test."],
    },
    { name: "txt.test", type: "TXT", answers: ['TXT "hello"', 'TXT "world"'] },
    // IPv4 and IPv6 of one place live and die together: no client is sent to two.
    { name: "both.test", type: "AAAA", down: ["10.0.0.1"], answers: ["AAAA 2001:db8::1"] },
    { name: "both.test", type: "A", down: ["10.0.0.1"], answers: [] },
    { name: "both.test", type: "A", down: ["10.0.0.1", "2001:db8::1"], answers: ["A 10.0.9.1"] },
  ])("$name $type without $down", async ({ name, type, answers, down = [] }) => {
    const { ask, ward } = await made(config);
    ward.down(...down);
    const told = ask(name, { type });
    expect([told.rcode, told.answers]).toEqual(["NOERROR", answers]);
    if (answers.length === 0) expect(told.authorities).toEqual([`${name}. SOA`]);
  });

  test("a name in no zone has an SOA of its own, and gives it when asked", async () => {
    const { ask } = await made(config);
    expect(ask("four.test", { type: "SOA" }).answers).toEqual([
      "SOA four.test. hostmaster.four.test. 1 7200 900 1209600 60",
    ]);
  });

  test("the case of the question is the case of the answer", async () => {
    const { ask } = await made(config);
    const told = ask("FoUr.TeSt");
    expect(told.handled).toBe(true);
    expect(new TextDecoder().decode(told.message.answers[0]?.name.subarray(1, 5))).toBe("FoUr");
  });

  test("a name that is not here is somebody else's", async () => {
    const { ask } = await made(config);
    expect(ask("six.test").handled).toBe(false);
    expect(ask("x.four.test").handled).toBe(false);
  });

  test("an answer without room for all says so, and gives none", async () => {
    const { ask } = await made({ "many.test": { tiers: [["10.0.0.1-100"]] } });
    const told = ask("many.test", { room: 512 });
    expect([told.truncated, told.answers]).toEqual([true, []]);
    expect(ask("many.test", { room: 4096 }).answers).toHaveLength(100);
  });
});

describe("around a name in no zone", () => {
  const around = async (name: string) => {
    const { names } = await made({ "a.i.test": { tiers: [["10.0.0.1"]] } });
    const { handled, rcode, authorities } = ask(
      (query, _, writer) => names.answerAround(query, writer),
      name,
    );
    return [handled, rcode, authorities];
  };
  test("above it there is nothing, but a name", async () => {
    expect(await around("I.test")).toEqual([true, "NOERROR", ["I.test. SOA"]]);
    expect(await around("test")).toEqual([true, "NOERROR", ["test. SOA"]]);
  });
  test("below it is no name", async () => {
    expect(await around("x.y.a.i.test")).toEqual([true, "NXDOMAIN", ["a.i.test. SOA"]]);
  });
  test("beside it is not ours", async () => {
    expect(await around("b.i.test")).toEqual([false, "NOERROR", []]);
  });
});

describe("order", () => {
  const four = ["10.0.0.1-4"];
  const many = async (config: object, asked: Asked = {}, times = 4000) => {
    const { ask } = await made({ "x.test": config }, { dice: Math.random });
    const firsts = new Map<string, number>();
    for (let i = 0; i < times; i++) {
      const [first = "none"] = ask("x.test", asked).answers;
      firsts.set(first, (firsts.get(first) ?? 0) + 1);
    }
    return firsts;
  };

  test("fixed: as it is written", async () => {
    const { a } = await made({ "x.test": { tiers: [four], order: "fixed", answers: 2 } });
    expect([a("x.test"), a("x.test")]).toEqual(["A 10.0.0.1 A 10.0.0.2", "A 10.0.0.1 A 10.0.0.2"]);
  });

  test("round robin gives so many, and goes on with the next", async () => {
    const { a } = await made({ "x.test": { tiers: [four], answers: 3 } });
    expect([a("x.test"), a("x.test"), a("x.test")]).toEqual([
      "A 10.0.0.1 A 10.0.0.2 A 10.0.0.3",
      "A 10.0.0.2 A 10.0.0.3 A 10.0.0.4",
      "A 10.0.0.3 A 10.0.0.4 A 10.0.0.1",
    ]);
  });

  test("round robin of A and AAAA turn by themselves, and each worker elsewhere", async () => {
    const config = { "x.test": { tiers: [[...four, "2001:db8::1", "2001:db8::2"]], answers: 1 } };
    const { ask, a } = await made(config, { worker: 1 });
    expect(a("x.test")).toBe("A 10.0.0.2");
    expect(ask("x.test", { type: "AAAA" }).answers).toEqual(["AAAA 2001:db8::2"]);
    expect(a("x.test")).toBe("A 10.0.0.3");
  });

  test("random gives each its share, and no record twice", async () => {
    const firsts = await many({ tiers: [four], order: "random", answers: 2 });
    for (const count of firsts.values()) expect(Math.abs(count - 1000)).toBeLessThan(200); // 7 sigma
    const { ask } = await made(
      { "x.test": { tiers: [four], order: "random" } },
      { dice: Math.random },
    );
    for (let i = 0; i < 50; i++) expect(new Set(ask("x.test").answers).size).toBe(4);
  });

  test("weighted gives as it is weighted, and nothing to what has no weight", async () => {
    const tiers = [
      [
        { address: "10.0.0.1", weight: 1 },
        { address: "10.0.0.2", weight: 3 },
        { address: "10.0.0.3", weight: 0 },
      ],
    ];
    const firsts = await many({ tiers, order: "weighted", answers: 1 });
    expect([...firsts.keys()].toSorted()).toEqual(["A 10.0.0.1", "A 10.0.0.2"]);
    expect(Math.abs((firsts.get("A 10.0.0.2") ?? 0) - 3000)).toBeLessThan(200);
  });

  test("hash: a site keeps its record, sites share them, and only the orphans move", async () => {
    const config = { "x.test": { tiers: [four], order: "hash", answers: 1, check: icmp } };
    const { ask, ward } = await made(config);
    const sites = Array.from({ length: 400 }, (_, i) => `198.${i >> 8}.${i & 255}.7`);
    const of = (from: string) => ask("x.test", { from }).answers[0] ?? "none";
    const before = sites.map(of);
    expect(of("198.0.5.99")).toBe(of("198.0.5.7")); // one /24
    for (const one of new Set(before))
      expect(Math.abs(before.filter((other) => other === one).length - 100)).toBeLessThan(60);
    ward.down("10.0.0.2");
    const after = sites.map(of);
    for (const [i, one] of before.entries()) if (one !== "A 10.0.0.2") expect(after[i]).toBe(one);
    expect(after).not.toContain("A 10.0.0.2");
  });

  test("hash tells resolvers for whom the answer is", async () => {
    const { ask, names } = await made({ "x.test": { tiers: [four], order: "hash" } });
    ask("x.test", { subnet: "203.0.113.0/24" });
    expect(names.scope).toBe(24);
    ask("x.test", { subnet: "2001:db8::/48" });
    expect(names.scope).toBe(48);
    ask("x.test");
    expect(names.scope).toBe(0);
  });
});

describe("an operator's word", () => {
  const config = {
    "x.test": { tiers: [["10.0.0.1", "10.0.0.2"], ["10.0.9.9"]], check: icmp, order: "fixed" },
    "y.test": { tiers: [["10.0.0.1", "10.0.0.3"]], order: "fixed" },
  };

  test.each([
    { story: "out everywhere", name: undefined, to: "down", x: "A 10.0.0.2", y: "A 10.0.0.3" },
    {
      story: "out of one name",
      name: "X.test",
      to: "down",
      x: "A 10.0.0.2",
      y: "A 10.0.0.1 A 10.0.0.3",
    },
    { story: "drained", name: "x.test.", to: "drain", x: "A 10.0.0.2", y: "A 10.0.0.1 A 10.0.0.3" },
  ] as const)("$story", async ({ name, to, x, y }) => {
    const { a, names } = await made(config);
    expect(await names.set(name, "10.0.0.1", to)).toBe(name === undefined ? 2 : 1);
    expect([a("x.test"), a("y.test")]).toEqual([x, y]);
    await names.set(name, "10.0.0.1", undefined);
    expect(a("x.test")).toBe("A 10.0.0.1 A 10.0.0.2");
  });

  test("up, whatever the probes say", async () => {
    const { a, names, ward } = await made(config);
    ward.down("10.0.0.1", "10.0.0.2");
    expect(a("x.test")).toBe("A 10.0.9.9");
    await names.set("x.test", "10.0.0.2", "up");
    expect(a("x.test")).toBe("A 10.0.0.2");
  });

  test("who is drained still serves when nobody else is left; who is out does not", async () => {
    const { a, names, ward } = await made(config);
    ward.down("10.0.9.9", "10.0.0.1");
    await names.set("x.test", "10.0.0.2", "drain");
    expect(a("x.test")).toBe("A 10.0.0.2");
    await names.set("x.test", "10.0.0.2", "down");
    expect(a("x.test")).toBe("A 10.0.0.1 A 10.0.9.9"); // all_down: serve
  });

  test("an address however it is written", async () => {
    const { ask, names } = await made({ "x.test": { tiers: [["2001:DB8:0::1", "2001:db8::2"]] } });
    expect(await names.set("x.test", "2001:db8:0:0::1", "down")).toBe(1);
    expect(ask("x.test", { type: "AAAA" }).answers).toEqual(["AAAA 2001:db8::2"]);
  });

  test("outlives a restart", async () => {
    const { file, names } = await made(config);
    await names.set(undefined, "10.0.0.1", "down");
    await names.set("y.test", "10.0.0.3", "drain");
    expect(JSON.parse(readFileSync(file, "utf8"))).toEqual({
      "10.0.0.1": "down",
      "y.test. 10.0.0.3": "drain",
    });
    const again = await made(config, { states: ManualStates.open(file) });
    expect(again.a("x.test")).toBe("A 10.0.0.2");
  });

  test("about a record that is nowhere changes nothing", async () => {
    const { names } = await made(config);
    expect(await names.set(undefined, "10.9.9.9", "down")).toBe(0);
    expect(await names.set("z.test", "10.0.0.1", "down")).toBe(0);
  });

  test("a state file that was damaged is told, not ignored", () => {
    const path = join(state, "broken.json");
    writeFileSync(path, '{"10.0.0.1": "sideways"}');
    expect(() => ManualStates.open(path)).toThrow(path);
  });
});

describe("flapping", () => {
  const config = {
    "x.test": { ttl: 300, flapping_ttl: 10, tiers: [["10.0.0.1", "10.0.0.2"]], check: icmp },
  };

  test("the third change in five minutes lowers the TTL, until it is calm again", async () => {
    const { ask, clock, ward } = await made(config);
    const at = (now: number, ...down: string[]) => {
      clock.now = now;
      ward.down(...down);
      return ask("x.test").ttl;
    };
    expect(at(0)).toBe(300);
    expect(at(60_000, "10.0.0.1")).toBe(300);
    expect(at(120_000)).toBe(300);
    expect(at(180_000, "10.0.0.1")).toBe(10);
    expect(at(359_999, "10.0.0.1")).toBe(10);
    clock.now = 360_000; // five minutes after the first of the three
    expect(ask("x.test").ttl).toBe(300);
  });

  test("three changes in an hour are not flapping", async () => {
    const { ask, clock, ward } = await made(config);
    for (const [i, down] of [["10.0.0.1"], [], ["10.0.0.1"]].entries()) {
      clock.now = i * 1_200_000;
      ward.down(...down);
    }
    expect(ask("x.test").ttl).toBe(300);
  });
});

test("what is watched: addresses with a check, each with its port", async () => {
  const { ward, names } = await made({
    "a.test": {
      tiers: [["10.0.0.1:8000", "10.0.0.2"], ["elsewhere.example.org"]],
      check: { kind: "http" },
    },
    "b.test": { tiers: [["10.0.0.3"]] },
  });
  expect(ward.targets.map(({ host, port, check }) => [host, port, check.kind])).toEqual([
    ["10.0.0.1", 8000, "http"],
    ["10.0.0.2", undefined, "http"],
  ]);
  names.close();
  expect(ward.closed).toBe(true);
});

test("status tells who is given, since when, and why not", async () => {
  const { names, ward } = await made({
    "x.test": { tiers: [["10.0.0.1", "10.0.0.2"], ["10.0.9.9"]], check: icmp },
  });
  ward.down("10.0.0.1");
  await names.set("x.test", "10.0.9.9", "drain");
  expect(names.status()).toEqual([
    {
      name: "x.test.",
      tier: 1,
      outcome: "records",
      ttl: 60,
      members: [
        {
          record: "10.0.0.1",
          type: "A",
          weight: 1,
          health: "down",
          since: 2,
          why: "timeout",
          manual: null,
          given: false,
        },
        {
          record: "10.0.0.2",
          type: "A",
          weight: 1,
          health: "up",
          since: 1,
          why: "",
          manual: null,
          given: true,
        },
        {
          record: "10.0.9.9",
          type: "A",
          weight: 1,
          health: "up",
          since: 1,
          why: "",
          manual: "drain",
          given: false,
        },
      ],
    },
  ]);
});

describe("names that stand for their addresses", () => {
  const config = {
    "x.test": {
      ttl: 60,
      flatten: true,
      tiers: [["origin.example.org"], ["10.0.0.9"]],
      order: "fixed",
    },
  };
  /** Other people's DNS, by a test's hand. */
  class Elsewhere {
    four: string[] | undefined = ["192.0.2.10", "192.0.2.11"];
    six: string[] | undefined = ["2001:db8::10"];
    ttl = 30;
    asked = 0;
    readonly lookup = async (_: string, family: 4 | 6) => {
      this.asked++;
      const addresses = family === 4 ? this.four : this.six;
      return addresses && { addresses, ttl: this.ttl };
    };
  }
  const begin = async () => {
    const elsewhere = new Elsewhere();
    const clock = new FakeClock();
    const { ask, names, a } = await made(config, { lookup: elsewhere.lookup, clock });
    return { ask, names, a, clock, elsewhere };
  };

  test("its addresses are given from the first question on, as long as they are good", async () => {
    const { ask, clock, a, elsewhere } = await begin();
    expect([ask("x.test").answers, ask("x.test").ttl]).toEqual([
      ["A 192.0.2.10", "A 192.0.2.11"],
      30,
    ]);
    expect(ask("x.test", { type: "AAAA" }).answers).toEqual(["AAAA 2001:db8::10"]);
    elsewhere.four = ["192.0.2.12"];
    await clock.advance(29_000);
    expect(a("x.test")).toBe("A 192.0.2.10 A 192.0.2.11");
    await clock.advance(1000);
    expect(a("x.test")).toBe("A 192.0.2.12");
  });

  test("a name that is gone is as if it were down", async () => {
    const { clock, a, elsewhere } = await begin();
    elsewhere.four = elsewhere.six = [];
    await clock.advance(30_000);
    expect(a("x.test")).toBe("A 10.0.0.9");
  });

  test("what cannot be found out now is given as it was, for a day", async () => {
    const elsewhere = new Elsewhere();
    let now = 0;
    let wake = () => {};
    const clock = {
      ...systemClock,
      now: () => now,
      sleep: () => new Promise<void>((done) => void (wake = done)),
    };
    const { a } = await made(config, { lookup: elsewhere.lookup, clock });
    const after = async (ms: number): Promise<string> => {
      now += ms;
      wake();
      await Bun.sleep(5);
      return a("x.test");
    };
    elsewhere.four = elsewhere.six = undefined;
    expect(await after(86_400_000)).toBe("A 192.0.2.10 A 192.0.2.11");
    expect(await after(1)).toBe("A 10.0.0.9");
  });

  test("others' servers are not asked more than every five seconds", async () => {
    const { clock, elsewhere } = await begin();
    elsewhere.ttl = 0;
    await clock.advance(30_000); // the first answer was good so long
    const before = elsewhere.asked;
    await clock.advance(60_000);
    expect(elsewhere.asked - before).toBe(2 * 12);
  });

  test("an operator's word is for the name", async () => {
    const { a, names } = await begin();
    expect(names.status()[0]?.members.map((one) => one.given)).toEqual([true, false]);
    expect(await names.set("x.test", "origin.example.org", "down")).toBe(1);
    expect(a("x.test")).toBe("A 10.0.0.9");
  });

  test("after closing nobody is asked any more", async () => {
    const { clock, names, elsewhere } = await begin();
    names.close();
    const before = elsewhere.asked;
    await clock.advance(600_000);
    expect(elsewhere.asked).toBe(before);
  });
});

describe("names between two sides", () => {
  const config = { "ga.l.test": { ttl: 100, tiers: [["10.0.0.1"], ["10.0.0.2"]], check: icmp } };
  const lrrr = {
    side: "left",
    left: "l.test",
    right: "r.test",
    suffix: "i.test",
    secret: new Secret("sesame"),
    prefix: "lr",
    ttl: 3_600_000,
  } as const;

  test("a public name sends to a measuring one; the end of the way has the records with it", async () => {
    const { ask, ward } = await made(config, { lrrr });
    const [sent = ""] = ask("ga.i.test").answers;
    expect(sent).toMatch(/^CNAME lr-n-n-1[0-9a-z]+-[0-9a-z]{5}-[0-9a-v]{16}\.ga\.l\.test\.$/);
    ward.down("10.0.0.1");
    const end = ask("lr-somebody-made-this-up.ga.l.test");
    expect(end.answers).toEqual(["CNAME ga.l.test.", "A 10.0.0.2"]); // health counts there too
    const names = end.message.answers.map((rr) => showName(rr.name));
    expect(names).toEqual(["lr-somebody-made-this-up.ga.l.test.", "ga.l.test."]);
    expect(ask("lr-x.ga.l.test", { type: "AAAA" }).authorities).toEqual(["ga.l.test. SOA"]);
    expect(ask("lr-x.ga.l.test", { type: "CNAME" }).answers).toEqual(["CNAME ga.l.test."]);
  });

  test.each([
    { name: "gb.i.test", rcode: "NXDOMAIN", soa: "i.test." },
    { name: "lr-x.gb.l.test", rcode: "NXDOMAIN", soa: "l.test." },
    { name: "i.test", rcode: "NOERROR", soa: "i.test." },
    { name: "L.test", rcode: "NOERROR", soa: "L.test." },
    { name: "test", rcode: "NOERROR", soa: "test." },
  ])("around them: $name", async ({ name, rcode, soa }) => {
    const { names } = await made(config, { lrrr });
    const told = ask((query, _, writer) => names.answerAround(query, writer), name);
    expect([told.handled, told.rcode, told.authorities]).toEqual([true, rcode, [`${soa} SOA`]]);
  });
});

describe("the config", () => {
  /** What an operator would read. */
  const problem = (config: object): string => {
    const text = JSON.stringify({ names: { "x.test": config } }); // JSON is YAML too
    const read = load(text, { file: "tern.yaml", sections: { names: schema }, later: [] });
    return read.ok ? "none" : read.problems.map((one) => `${one.path}: ${one.message}`).join("; ");
  };
  test.each([
    {
      story: "a name among addresses",
      config: { tiers: [["10.0.0.1", "www.example.org"]] },
      says: "CNAME stands alone",
    },
    { story: "a misspelt key", config: { tiers: [["10.0.0.1"]], up_tresh: 1 }, says: "up_tresh" },
    {
      story: "a tcp check without a port",
      config: { tiers: [["10.0.0.1"]], check: { kind: "tcp" } },
      says: "needs a port",
    },
    { story: "an address that is none", config: { tiers: [["10.0.0.300"]] }, says: "10.0.0.300" },
    { story: "a range backwards", config: { tiers: [["10.0.0.9-4"]] }, says: "10.0.0.9-4" },
    { story: "no tier", config: { tiers: [] }, says: "tiers" },
    {
      story: "a TTL of half a second",
      config: { ttl: "500ms", tiers: [["10.0.0.1"]] },
      says: "ttl",
    },
    {
      story: "no such place",
      config: { tiers: [["10.0.0.1"]], geo: { Europe: ["10.0.0.2"] } },
      says: "is no place",
    },
    {
      story: "a key of another kind of check",
      config: { tiers: [["10.0.0.1"]], check: { kind: "icmp", path: "/" } },
      says: "path",
    },
    {
      story: "nothing wrong",
      config: { ttl: "5m", tiers: [["10.0.0.1:80"]], check: { kind: "tcp" } },
      says: "none",
    },
  ])("$story", ({ config, says }) => {
    expect(problem(config)).toContain(says);
  });

  test("two spellings of one name", async () => {
    const config = { "x.test": { tiers: [["10.0.0.1"]] }, "X.test.": { tiers: [["10.0.0.2"]] } };
    expect(made(config)).rejects.toThrow("x.test. is there twice");
  });
});
