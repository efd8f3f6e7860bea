/** Names as hosts: what they stand for now, and what becomes of it when nobody answers. */
import { describe, expect, test } from "bun:test";

import { type Answer, endpointsOf } from "../../../src/net/pools/endpoints.ts";
import { Names } from "../../../src/net/pools/names.ts";
import type { Records } from "../../../src/net/pools/resolver.ts";
import { FakeClock } from "../../fake/clock.ts";
import { memoryLog } from "../../fake/log.ts";
import { resolverOf, type Zone } from "./resolver-of.ts";

const a = (...texts: string[]): Records => ({ texts, ttl: 60 });
const broken = new Error("no answer in time");
const app = { kind: "name", name: "app.test", port: 80 } as const;
const srv = { kind: "srv", name: "_http._tcp.app.test" } as const;

function show({ endpoints, ttl }: Answer): string {
  const all = endpoints.map(
    ({ host, port, weight, backup }) => `${host}:${port}*${weight}${backup ? " backup" : ""}`,
  );
  return `${all.join(", ")}; ${ttl}`;
}

describe("a name stands for", () => {
  test.each<{ story: string; zone: Zone; says: string }>([
    {
      story: "its addresses, in one order",
      zone: { "app.test A": a("10.0.0.2", "10.0.0.1") },
      says: "10.0.0.1:80*1, 10.0.0.2:80*1; 60",
    },
    {
      story: "both families; the shorter TTL",
      zone: { "app.test A": a("10.0.0.1"), "app.test AAAA": { texts: ["2001:db8::1"], ttl: 5 } },
      says: "10.0.0.1:80*1, 2001:db8::1:80*1; 5",
    },
    { story: "nothing", zone: {}, says: "app.test has no addresses" },
    {
      story: "what nobody says",
      zone: { "app.test A": broken, "app.test AAAA": broken },
      says: "no answer in time",
    },
    {
      story: "what only half is known of: that would throw out the other half",
      zone: { "app.test A": a("10.0.0.1"), "app.test AAAA": broken },
      says: "no answer in time",
    },
  ])("$story", async ({ zone, says }) => {
    const said = await endpointsOf(app, resolverOf(zone).resolver).then(show, String);
    expect(said.replace("Error: ", "")).toBe(says);
  });

  test("what this machine knows, when resolvers do not", async () => {
    const { resolver } = resolverOf({}, { "app.test": ["127.0.0.1"] });
    expect(show(await endpointsOf(app, resolver))).toBe("127.0.0.1:80*1; 30");
  });

  test("what the operator has decided, whatever resolvers say", async () => {
    const { resolver, asked } = resolverOf(
      { "app.test A": a("10.0.0.1") },
      {},
      { "app.test": ["10.9.9.9"] },
    );
    expect(show(await endpointsOf(app, resolver))).toBe("10.9.9.9:80*1; 30");
    expect(asked).toEqual([]);
  });
});

describe("SRV records", () => {
  const targets = { "one.test A": a("10.0.0.1"), "two.test A": a("10.0.0.2") };
  test.each<{ story: string; texts: string[]; says: string }>([
    {
      story: "port and weight of each",
      texts: ["0 5 8001 one.test.", "0 10 8002 two.test."],
      says: "10.0.0.1:8001*5, 10.0.0.2:8002*10; 30",
    },
    {
      story: "all but the best priority are backup",
      texts: ["20 1 80 one.test.", "10 1 80 two.test."],
      says: "10.0.0.1:80*1 backup, 10.0.0.2:80*1; 30",
    },
    {
      story: "a weight of 0 is a small one",
      texts: ["0 0 80 one.test."],
      says: "10.0.0.1:80*1; 30",
    },
    {
      story: "a dot: decidedly not available (RFC 2782)",
      texts: ["0 0 0 ."],
      says: "_http._tcp.app.test has no addresses",
    },
    {
      story: "a target without addresses",
      texts: ["0 0 80 none.test.", "0 1 80 one.test."],
      says: "10.0.0.1:80*1; 30",
    },
    { story: "none", texts: [], says: "_http._tcp.app.test has no addresses" },
  ])("$story", async ({ texts, says }) => {
    const { resolver } = resolverOf({
      ...targets,
      "_http._tcp.app.test SRV": { texts, ttl: 30 },
    });
    const said = await endpointsOf(srv, resolver).then(show, String);
    expect(said.replace("Error: ", "")).toBe(says);
  });
});

describe("names are followed", () => {
  async function follow(zone: Zone) {
    const clock = new FakeClock();
    const log = memoryLog();
    const { resolver, asked } = resolverOf(zone);
    const names = new Names({ clock, log, resolver, dice: () => 0.5 });
    let changes = 0;
    const following = names.follow([app], () => changes++);
    await clock.advance(3000);
    const share = await following;
    return {
      clock,
      log,
      asked,
      zone,
      names,
      share,
      changes: () => changes,
      hosts: () => share.of(app).endpoints.map(({ host }) => host),
      why: () => share.of(app).why,
    };
  }

  test("by their TTL, and changes are told", async () => {
    const it = await follow({ "app.test A": a("10.0.0.1") });
    expect(it.hosts()).toEqual(["10.0.0.1"]);
    const before = it.asked.length;
    await it.clock.advance(56_000);
    expect(it.asked.length).toBe(before);
    it.zone["app.test A"] = a("10.0.0.1", "10.0.0.2");
    await it.clock.advance(2000);
    expect([it.hosts(), it.changes()]).toEqual([["10.0.0.1", "10.0.0.2"], 1]);
    it.zone["app.test A"] = a("10.0.0.2", "10.0.0.1"); // resolvers turn their answers
    await it.clock.advance(60_000);
    expect(it.changes()).toBe(1);
  });

  test.each([
    { story: "nobody answers", gone: broken },
    { story: "it is gone, which may be somebody's mistake", gone: a() },
  ])(
    "what was good stays when $story, and is asked for again and again, ever more rarely",
    async ({ gone }) => {
      const it = await follow({ "app.test A": a("10.0.0.1") });
      it.zone["app.test A"] = gone;
      await it.clock.advance(57_000);
      expect([it.hosts(), it.changes(), it.why() !== ""]).toEqual([["10.0.0.1"], 0, true]);
      const times: number[] = [];
      let seen = it.asked.length;
      for (let s = 0; s < 100; s++) {
        await it.clock.advance(1000);
        if (it.asked.length > seen) times.push(s);
        seen = it.asked.length;
      }
      expect(times.slice(0, 5)).toEqual([0, 2, 6, 14, 30]);
      it.zone["app.test A"] = a("10.0.0.7");
      await it.clock.advance(30_000);
      expect([it.hosts(), it.why()]).toEqual([["10.0.0.7"], ""]);
      expect(it.log.lines).toEqual([
        "warn a name cannot be looked up: its last servers stay",
        "info a name can be looked up again",
      ]);
    },
  );

  test("a start does not wait for ever for what cannot be known", async () => {
    const it = await follow({ "app.test A": broken, "app.test AAAA": broken });
    expect([it.hosts(), it.why()]).toEqual([[], "no answer in time"]);
  });

  test("once for all who want to know, until nobody does", async () => {
    const it = await follow({ "app.test A": a("10.0.0.1") });
    const before = it.asked.length;
    const other = await it.names.follow([app], () => {});
    expect([it.asked.length, other.of(app).endpoints.length]).toEqual([before, 1]);
    it.share.close();
    await it.clock.advance(60_000);
    expect(it.asked.length).toBeGreaterThan(before);
    other.close();
    const last = it.asked.length;
    await it.clock.advance(600_000);
    expect(it.asked.length).toBe(last);
  });

  test("a TTL of 0 is no reason to ask all the time", async () => {
    const it = await follow({ "app.test A": { texts: ["10.0.0.1"], ttl: 0 } });
    const before = it.asked.length;
    await it.clock.advance(10_000);
    expect((it.asked.length - before) / 2).toBeLessThanOrEqual(10);
  });
});
