/** All pools of a process, as configs, names and probes change what is in them. */
import { describe, expect, test } from "bun:test";

import type { Target } from "../../../src/net/health/check.ts";
import type { Health, Verdict } from "../../../src/net/health/health.ts";
import { PoolBook } from "../../../src/net/pools/book.ts";
import type { HostPlan, PoolPlan } from "../../../src/net/pools/plan.ts";
import { Registry } from "../../../src/observe/registry.ts";
import { FakeClock } from "../../fake/clock.ts";
import { memoryLog } from "../../fake/log.ts";
import { ownTallies } from "../../fake/tallies.ts";
import { client, hostOf, planOf } from "./pool-of.ts";
import { resolverOf, type Zone } from "./resolver-of.ts";

/** Health that a test turns by hand, by `host:port`. */
class ByHand implements Health {
  readonly down = new Set<string>();
  readonly watching: { readonly targets: readonly Target[]; readonly changed: () => void }[] = [];
  hurried = 0;
  begun = 0;

  async watch(targets: readonly Target[], changed: () => void) {
    if (targets.some(({ check }) => check.kind === "icmp")) throw new Error("may not ping");
    const share = { targets, changed };
    this.watching.push(share);
    this.begun++;
    const verdict = ({ host, port }: Target): Verdict =>
      this.down.has(`${host}:${port}`)
        ? { state: "down", since: 5, why: "refused" }
        : { state: "up", since: 4, why: "" };
    return {
      get verdicts() {
        return targets.map(verdict);
      },
      hurry: () => void this.hurried++,
      close: () => {
        const at = this.watching.indexOf(share);
        if (at >= 0) this.watching.splice(at, 1);
      },
    };
  }
  turn(host: string, to: "up" | "down"): void {
    if (to === "up") this.down.delete(host);
    else this.down.add(host);
    for (const { changed } of this.watching) changed();
  }
  get hosts(): string[] {
    return this.watching.flatMap(({ targets }) =>
      targets.map(({ host, port }) => `${host}:${port}`),
    );
  }
}

const tcp = { kind: "tcp", interval: 1000, timeout: 100, rise: 1, fall: 1 } as const;
const http = {
  ...tcp,
  kind: "http",
  path: "/",
  method: "GET",
  expect: [{ first: 200, last: 399 }],
} as const;
const named: HostPlan = {
  ...hostOf("app.test:80"),
  place: { kind: "name", name: "app.test", port: 80 },
};

function bookOf() {
  const clock = new FakeClock();
  const log = memoryLog();
  const health = new ByHand();
  const metrics = new Registry();
  const zone: Zone = {};
  const book = new PoolBook({
    clock,
    wall: () => 1_700_000_000_000 + clock.now(),
    dice: () => 0.5,
    log,
    metrics,
    health,
    resolver: resolverOf(zone).resolver,
    worker: { index: 0, count: 1 },
    tallies: ownTallies(),
  });
  const use = async (...plans: PoolPlan[]): Promise<void> => {
    const ready = book.prepare(plans);
    await clock.advance(0);
    (await ready).commit();
  };
  const names = (pool = "app"): string[] => book.pool(pool).members.map(({ name }) => name);
  return { book, clock, log, health, metrics, zone, use, names };
}

const one = hostOf("10.0.0.1:80");
const two = hostOf("10.0.0.2:80");

describe("configs", () => {
  test("a pool is there before any config has it, and when none has it any more", async () => {
    const { book, use } = bookOf();
    const pool = book.pool("app");
    expect(pool.choose(client())).toBeUndefined();
    await use(planOf({ hosts: [one] }));
    expect(book.pool("app")).toBe(pool);
    expect(pool.choose(client())).toMatchObject({ name: "10.0.0.1:80" });
    await use();
    expect(pool.choose(client())).toBeUndefined();
    expect(book.stats()).toEqual({});
  });

  test("nothing happens until it is put in force, nor when it is not", async () => {
    const { book, health, names, use } = bookOf();
    await use(planOf({ hosts: [one], check: tcp }));
    const next = await book.prepare([planOf({ hosts: [one, two], check: tcp })]);
    expect([names(), health.watching.length]).toEqual([["10.0.0.1:80"], 2]);
    next.abandon();
    expect([names(), health.watching.length]).toEqual([["10.0.0.1:80"], 1]);
    expect(health.hosts).toEqual(["10.0.0.1:80"]);
  });

  test("what cannot be probed here refuses all of it, and leaves nothing", async () => {
    const { book, health, names, use } = bookOf();
    await use(planOf({ hosts: [one], check: tcp }));
    const ping = { ...tcp, kind: "icmp" } as const;
    const plans = [
      planOf({ name: "new", hosts: [two], check: tcp }),
      planOf({ hosts: [one], check: ping }),
    ];
    expect(book.prepare(plans)).rejects.toThrow("may not ping");
    await Bun.sleep(0);
    expect([names(), health.hosts]).toEqual([["10.0.0.1:80"], ["10.0.0.1:80"]]);
  });

  test("a pool that did not change is left alone", async () => {
    const { health, use } = bookOf();
    await use(
      planOf({ hosts: [one], check: tcp }),
      planOf({ name: "b", hosts: [two], check: tcp }),
    );
    await use(
      planOf({ hosts: [one], check: tcp }),
      planOf({ name: "b", hosts: [one], check: tcp }),
    );
    expect([health.begun, health.watching.length]).toEqual([3, 2]);
  });

  test("at rest nobody is probed, and everybody can still be chosen; then it begins anew", async () => {
    const { book, health, use } = bookOf();
    const plan = planOf({ hosts: [one], check: tcp });
    await use(plan);
    book.rest();
    expect([health.watching.length, book.pool("app").choose(client())]).toMatchObject([
      0,
      { name: "10.0.0.1:80" },
    ]);
    await use(plan);
    expect(health.watching.length).toBe(1);
  });
});

describe("probes", () => {
  test("verdicts decide from the first moment, and as they change", async () => {
    const { book, health, use } = bookOf();
    health.down.add("10.0.0.1:80");
    await use(planOf({ hosts: [one, two], check: tcp }));
    const who = () => {
      const found = book.pool("app").choose(client());
      return typeof found === "object" ? found.name : found;
    };
    expect([who(), who()]).toEqual(["10.0.0.2:80", "10.0.0.2:80"]);
    health.turn("10.0.0.1:80", "up");
    health.turn("10.0.0.2:80", "down");
    expect([who(), who()]).toEqual(["10.0.0.1:80", "10.0.0.1:80"]);
  });

  test("how long they take to get here is counted", async () => {
    const { health, metrics, use, clock } = bookOf();
    await use(planOf({ hosts: [one], check: tcp }));
    await clock.advance(10);
    health.turn("10.0.0.1:80", "down");
    const delays = metrics
      .snapshot()
      .families.find((f) => f.name === "tern_pool_verdict_delay_seconds");
    expect(delays?.series[0]?.counts?.reduce((a, b) => a + b, 0)).toBe(1);
  });

  test("retry: failures are forgotten, and everybody is probed now", async () => {
    const { book, health, use } = bookOf();
    await use(planOf({ hosts: [one, two], check: tcp }));
    const [first] = book.pool("app").members;
    first?.connecting();
    first?.failed("refused");
    expect([book.retry("app"), health.hurried, first?.eligible]).toEqual([1, 1, true]);
    expect(book.retry("none")).toBe(0);
  });
});

describe("names", () => {
  test("each address is a server, probed for itself and asked by its name", async () => {
    const { health, zone, names, use } = bookOf();
    zone["app.test A"] = { texts: ["10.0.0.2", "10.0.0.1"], ttl: 60 };
    await use(planOf({ hosts: [named], check: http }));
    expect(names()).toEqual(["app.test:80/10.0.0.1:80", "app.test:80/10.0.0.2:80"]);
    expect(health.watching[0]?.targets[0]).toEqual({
      host: "10.0.0.1",
      port: 80,
      check: { ...http, host: "app.test" },
    });
  });

  test("addresses that come are probed before they are used; those that go finish", async () => {
    const { book, clock, health, zone, names, use } = bookOf();
    zone["app.test A"] = { texts: ["10.0.0.1"], ttl: 60 };
    await use(planOf({ hosts: [named], check: tcp }));
    const [first] = book.pool("app").members;
    first?.connecting();
    zone["app.test A"] = { texts: ["10.0.0.2"], ttl: 60 };
    health.down.add("10.0.0.2:80");
    await clock.advance(70_000);
    expect(names()).toEqual(["app.test:80/10.0.0.2:80"]);
    expect([book.pool("app").choose(client()), health.hosts]).toEqual([undefined, ["10.0.0.2:80"]]);
    expect(book.pool("app").leaving).toEqual(first ? [first] : []);
    zone["app.test A"] = { texts: ["10.0.0.1"], ttl: 60 };
    await clock.advance(70_000);
    expect(book.pool("app").members[0]).toBe(first);
  });

  test("one that stands for nothing is shown with what is wrong, and is no server", async () => {
    const { book, clock, zone } = bookOf();
    zone["app.test A"] = new Error("no answer in time");
    const ready = book.prepare([planOf({ hosts: [named, two] })]);
    await clock.advance(3000);
    (await ready).commit();
    expect(book.stats()["app"]?.hosts["app.test:80"]).toMatchObject({
      state: "down",
      why: "no answer in time",
    });
    expect(book.pool("app").choose(client())).toMatchObject({ name: "10.0.0.2:80" });
  });

  test("of SRV records: ports, weights, and priorities as backup", async () => {
    const { book, zone, use } = bookOf();
    zone["_x._tcp.test SRV"] = { texts: ["1 3 81 a.test.", "2 1 82 a.test."], ttl: 60 };
    zone["a.test A"] = { texts: ["10.0.0.1"], ttl: 60 };
    const place = { kind: "srv", name: "_x._tcp.test" } as const;
    await use(
      planOf({
        hosts: [{ ...hostOf("x:0"), label: "x", weight: 2, place }, hostOf("10.0.0.1:81")],
      }),
    );
    const specs = book
      .pool("app")
      .members.map(({ spec }) => [spec.address, spec.weight, spec.backup]);
    expect(specs).toEqual([
      ["10.0.0.1:81", 6, false],
      ["10.0.0.1:82", 2, true],
    ]);
  });
});

describe("what is shown", () => {
  test("stats: everything of every server; numbers can be summed", async () => {
    const { book, health, use } = bookOf();
    await use(
      planOf({ hosts: [one, { ...two, backup: true, weight: 3, state: "drain" }], check: tcp }),
    );
    const [first] = book.pool("app").members;
    first?.connecting();
    first?.connected(3.4);
    first?.transferred(5, 7);
    expect(book.stats()).toEqual({
      app: {
        scheduler: "roundrobin",
        sticky: "off",
        queued: 0,
        leaving: 0,
        hosts: {
          "10.0.0.1:80": {
            address: "10.0.0.1:80",
            state: "up",
            set: "ready",
            why: "",
            since: "1970-01-01T00:00:00.004Z",
            weight: "1",
            backup: "no",
            open: 1,
            total: 1,
            failed: 0,
            connects: 1,
            connect_ms: 3,
            up_bytes: 5,
            down_bytes: 7,
            ejections: 0,
            ejected: 0,
          },
          "10.0.0.2:80": expect.objectContaining({ set: "drain", weight: "3", backup: "yes" }),
        },
      },
    });
    health.turn("10.0.0.1:80", "down");
    expect(book.stats()["app"]?.hosts["10.0.0.1:80"]).toMatchObject({
      state: "down",
      why: "refused",
    });
  });

  test("metrics: by the hosts of the config, gone servers included", async () => {
    const { book, metrics, zone, clock, use } = bookOf();
    zone["app.test A"] = { texts: ["10.0.0.1", "10.0.0.2"], ttl: 60 };
    await use(planOf({ hosts: [named] }));
    const [a, b] = book.pool("app").members;
    a?.connecting();
    b?.connecting();
    b?.failed("refused");
    const read = () =>
      Object.fromEntries(
        metrics
          .snapshot()
          .families.flatMap(({ name, series }) =>
            series.flatMap(({ labels, value }) =>
              labels["server"] === undefined
                ? []
                : [[`${name} ${labels["direction"] ?? ""}`.trim(), value]],
            ),
          ),
      );
    expect(read()).toEqual({
      tern_pool_connections_open: 1,
      tern_pool_server_up: 1,
      tern_pool_connections_total: 2,
      tern_pool_connect_failures_total: 1,
      tern_pool_ejections_total: 1,
      "tern_pool_bytes_total up": 0,
      "tern_pool_bytes_total down": 0,
    });
    zone["app.test A"] = { texts: ["10.0.0.3"], ttl: 60 };
    await clock.advance(70_000);
    a?.connected(1);
    a?.transferred(100, 200);
    a?.closed(); // its last word is counted
    expect(read()).toMatchObject({
      tern_pool_connections_open: 0,
      tern_pool_connections_total: 2,
      "tern_pool_bytes_total up": 100,
      "tern_pool_bytes_total down": 200,
    });
  });
});
