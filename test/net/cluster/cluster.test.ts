import { afterAll, describe, expect, test } from "bun:test";
import { join } from "node:path";

import { systemClock } from "../../../src/core/clock.ts";
import { type Quorum } from "../../../src/core/quorum.ts";
import { Cluster } from "../../../src/net/cluster/cluster.ts";
import type { Target } from "../../../src/net/health/check.ts";
import type { Health, Verdict } from "../../../src/net/health/health.ts";
import { Registry } from "../../../src/observe/registry.ts";
import { certificate } from "../../fake/certificate.ts";
import { memoryLog } from "../../fake/log.ts";
import { freePort } from "../../fake/ports.ts";
import { type RealRedis, realRedis, REDIS } from "../../fake/redis.ts";
import { temporary } from "../../fake/temporary.ts";

const A = target("192.0.2.1");
const B = target("192.0.2.2");
/** A verdict of two is known to all within it. */
const SOON_MS = 1000;
const HOUR = 3_600_000;

function target(host: string, interval = 1000): Target {
  const rhythm = { interval, timeout: 200, rise: 2, fall: 2 };
  return { host, port: undefined, check: { kind: "icmp", ...rhythm } };
}

/** Probes that say what a test makes them say. */
class Eyes implements Health {
  readonly #down = new Map<string, string>();
  readonly #watchers = new Set<() => void>();

  see(host: string, why: string | undefined): void {
    if (why === undefined) this.#down.delete(host);
    else this.#down.set(host, why);
    for (const watcher of this.#watchers) watcher();
  }

  async watch(targets: readonly Target[], changed: () => void) {
    const down = this.#down;
    this.#watchers.add(changed);
    return {
      get verdicts() {
        return targets.map(({ host }): Verdict => {
          const why = down.get(host);
          return { state: why === undefined ? "up" : "down", since: 1, why: why ?? "" };
        });
      },
      hurry() {},
      close: () => void this.#watchers.delete(changed),
    };
  }
}

const open: Cluster[] = [];
afterAll(async () => {
  for (const cluster of open) await cluster.close();
});

/** One appliance; its clocks may be wrong. */
async function appliance(
  redis: Pick<RealRedis, "url">,
  node: string,
  {
    quorum = "majority",
    skew = 0,
    interval = 1000,
    ca,
  }: { quorum?: Quorum; skew?: number; interval?: number; ca?: string } = {},
) {
  const eyes = new Eyes();
  const log = memoryLog();
  const metrics = new Registry();
  const cluster = new Cluster({
    clock: { ...systemClock, now: () => performance.now() + skew },
    wall: () => Date.now() + skew,
    log,
    metrics,
    own: eyes,
  });
  open.push(cluster);
  let told = 0;
  const watched = await cluster.health.watch(
    [target(A.host, interval), target(B.host, interval)],
    () => told++,
  );
  const seat = { url: redis.url, ca, node, quorum };
  cluster.change(seat);
  return {
    cluster,
    eyes,
    log,
    metrics,
    watched,
    seat,
    get told() {
      return told;
    },
    get a() {
      const { state, why } = watched.verdicts[0] as Verdict;
      return why === "" ? state : `${state} (${why})`;
    },
  };
}

async function until(met: () => boolean, ms = SOON_MS): Promise<number> {
  const began = performance.now();
  while (!met()) {
    if (performance.now() - began > ms) throw new Error(`not within ${ms} ms`);
    await Bun.sleep(5);
  }
  return performance.now() - began;
}

/** Three that know of each other. */
async function three(redis: RealRedis, quorum: Quorum = "majority") {
  const nodes = [
    await appliance(redis, "one", { quorum, skew: 5 * HOUR }),
    await appliance(redis, "two", { quorum, skew: -7 * HOUR, interval: 5000 }),
    await appliance(redis, "three", { quorum }),
  ] as const;
  await until(() => nodes.every(({ cluster }) => cluster.status?.nodes.length === 2), 3000);
  return nodes;
}

describe.skipIf(REDIS === null)("three nodes that vote over Redis", () => {
  test("what one sees down stays up, what two see down is down everywhere", async () => {
    await using redis = await realRedis();
    const nodes = await three(redis);
    const [one, two] = nodes;
    one.eyes.see(A.host, "timeout");
    await until(() => nodes.every(({ a }) => a === "up (1 of 3 nodes: timeout)"));
    expect(one.cluster.status).toEqual({
      node: "one",
      nodes: ["three", "two"],
      alone: undefined,
      overruled: 1,
    });

    two.eyes.see(A.host, "refused");
    const took = await until(() => nodes.every(({ a }) => a.startsWith("down (2 of 3 nodes: ")));
    expect(took).toBeLessThan(SOON_MS);
    expect(nodes.map(({ a }) => a)[0]).toBe("down (2 of 3 nodes: timeout)");
    expect(nodes[2].log.lines).toContain("warn the votes say a server is down");
    expect(nodes[2].watched.verdicts[1]).toEqual({ state: "up", since: 1, why: "" });

    one.eyes.see(A.host, undefined);
    two.eyes.see(A.host, undefined);
    await until(() => nodes.every(({ a }) => a === "up"));
  }, 15_000);

  test.each([
    { quorum: 1, down: 1, state: "down" },
    { quorum: 2, down: 1, state: "up" },
    { quorum: 3, down: 2, state: "up" },
    { quorum: 9, down: 3, state: "down" },
  ])(
    "a quorum of $quorum: $down down is $state",
    async ({ quorum, down, state }) => {
      await using redis = await realRedis();
      const nodes = await three(redis, quorum);
      for (const { eyes } of nodes.slice(0, down)) eyes.see(A.host, "timeout");
      await until(() => nodes.every(({ a }) => a.startsWith(`${state} (${down} of 3`)));
    },
    15_000,
  );

  test("without Redis everybody goes by what it sees; with it they vote again", async () => {
    await using redis = await realRedis();
    const nodes = await three(redis);
    const [one, two, last] = nodes;
    one.eyes.see(A.host, "timeout");
    await until(() => last.a.startsWith("up (1 of 3"));

    await redis.kill();
    await until(() => nodes.every(({ cluster }) => cluster.status?.alone !== undefined), 4000);
    expect(nodes.map(({ a }) => a)).toEqual(["down (timeout)", "up", "up"]);
    expect(one.log.lines).toContain(
      "warn Redis does not answer: only our own view of servers counts",
    );
    const gauges = one.metrics
      .snapshot()
      .families.map(({ name, series }) => [name, series[0]?.value]);
    expect(Object.fromEntries(gauges)).toEqual({
      tern_cluster_connected: 0,
      tern_cluster_nodes: 1,
      tern_cluster_overruled: 0,
    });
    two.eyes.see(A.host, "refused");
    expect(two.a).toBe("down (refused)");

    await redis.again();
    await until(() => nodes.every(({ a }) => a.startsWith("down (2 of 3")), 8000);
    expect(one.log.lines.filter((line) => line.includes("voting with"))).toHaveLength(2);
  }, 25_000);

  test("a Redis that hangs is as good as none, and is back when it thaws", async () => {
    await using redis = await realRedis();
    const nodes = await three(redis);
    nodes[0].eyes.see(A.host, "timeout");
    await until(() => nodes[2].a.startsWith("up (1 of 3"));
    await redis.freeze();
    await until(() => nodes.every(({ cluster }) => cluster.status?.alone !== undefined), 6000);
    expect(nodes.map(({ a }) => a)).toEqual(["down (timeout)", "up", "up"]);
    redis.thaw();
    await until(() => nodes.every(({ a }) => a.startsWith("up (1 of 3")), 8000);
  }, 25_000);

  test("a node that falls silent loses its vote, one that leaves takes it along", async () => {
    await using redis = await realRedis();
    const nodes = await three(redis);
    const [one, two, last] = nodes;
    one.eyes.see(A.host, "timeout");
    two.eyes.see(A.host, "timeout");
    await until(() => last.a.startsWith("down"));
    await one.cluster.close();
    await until(() => last.a.startsWith("up (1 of 2"));
    // A power cut: nothing is withdrawn, Redis lets the votes expire.
    await redis.say("PEXPIRE", "tern:votes:of:two", "1");
    two.cluster.change(undefined);
    await until(() => last.a === "up" && last.cluster.status?.nodes.length === 0, 7000);
  }, 20_000);

  test("another config takes effect: a quorum, a name, and none at all", async () => {
    await using redis = await realRedis();
    const nodes = await three(redis);
    const [one, two, last] = nodes;
    one.eyes.see(A.host, "timeout");
    await until(() => two.a.startsWith("up (1 of 3"));
    two.cluster.change({ ...two.seat, quorum: 1 });
    await until(() => two.a === "down (1 of 3 nodes: timeout)");
    one.cluster.change({ ...one.seat, node: "eins" });
    await until(() => last.cluster.status?.nodes.join() === "eins,two");
    two.cluster.change(undefined);
    expect([two.a, two.cluster.status]).toEqual(["up", undefined]);
  }, 20_000);

  test("two of one name are told so", async () => {
    await using redis = await realRedis();
    const first = await appliance(redis, "same");
    const second = await appliance(redis, "same");
    const said = (log: { lines: string[] }) =>
      log.lines.includes("error another appliance has the same name in this cluster");
    await until(() => said(first.log) || said(second.log), 15_000);
  }, 20_000);

  test("a password is needed where one is asked for, and is in no log", async () => {
    await using redis = await realRedis([], "sesame");
    const stranger = await appliance({ url: redis.url.replace("sesame", "hunter2") }, "stranger");
    const [one, two] = [await appliance(redis, "one"), await appliance(redis, "two")];
    await until(() => one.cluster.status?.nodes.join() === "two", 3000);
    await until(() => two.cluster.status?.nodes.join() === "one", 3000);
    expect(stranger.cluster.status?.alone).toContain("wrong password");
    expect(JSON.stringify([stranger.log, one.log])).not.toMatch(/hunter2|sesame/);
  }, 10_000);
});

test.skipIf(REDIS === null)(
  "over TLS, with a certificate that is believed, and only so",
  async () => {
    await using dir = await temporary();
    const authority = await certificate({ common: "ours", authority: true });
    const own = await certificate({ names: ["127.0.0.1"], issuer: authority });
    await Bun.write(join(dir.path, "cert.pem"), own.cert);
    await Bun.write(join(dir.path, "key.pem"), own.key);
    const port = await freePort();
    const [cert, key] = [join(dir.path, "cert.pem"), join(dir.path, "key.pem")];
    const listening = ["--tls-port", `${port}`, "--tls-auth-clients", "no"];
    const files = ["--tls-cert-file", cert, "--tls-key-file", key, "--tls-ca-cert-file", cert];
    await using _ = await realRedis([...listening, ...files]);
    const place = { url: `rediss://127.0.0.1:${port}` };
    const one = await appliance(place, "one", { ca: authority.cert });
    const two = await appliance(place, "two", { ca: authority.cert });
    const stranger = await appliance(place, "stranger");
    await until(() => one.cluster.status?.nodes.join() === "two", 3000);
    await until(() => two.cluster.status?.nodes.join() === "one", 3000);
    expect(stranger.cluster.status?.alone).toContain("cannot connect");
  },
  10_000,
);

describe.skipIf(REDIS === null)("what strangers leave in Redis", () => {
  const garbage: [string, (redis: RealRedis) => Promise<unknown>][] = [
    ["text that is no ballot", (redis) => redis.say("SET", "tern:votes:of:evil", "-all of them")],
    ["an empty text", (redis) => redis.say("SET", "tern:votes:of:evil", "")],
    ["a list", (redis) => redis.say("LPUSH", "tern:votes:of:evil", "a", "b")],
    ["a hash", (redis) => redis.say("HSET", "tern:votes:of:evil", "a", "b")],
    [
      "a head with nothing true behind it",
      (redis) => redis.say("SET", "tern:votes:of:evil", "tern-votes-1 evil 1\n-nonsense\n"),
    ],
    [
      "64 MiB",
      async (redis) => {
        await redis.say("SET", "tern:votes:of:evil", "tern-votes-1 evil 1\n");
        await redis.say("SETRANGE", "tern:votes:of:evil", String(64 << 20), "x");
      },
    ],
    [
      "names that are none",
      (redis) => redis.say("SADD", "tern:votes:nodes", "", "a b", "x".repeat(1 << 20)),
    ],
  ];
  test.each(garbage)(
    "%s is no vote",
    async (_, leave) => {
      await using redis = await realRedis();
      await redis.say("SADD", "tern:votes:nodes", "evil");
      await leave(redis);
      const one = await appliance(redis, "one");
      const two = await appliance(redis, "two");
      await until(() => one.cluster.status?.nodes.join() === "two", 3000);
      one.eyes.see(A.host, "timeout");
      await until(() => two.a.startsWith("up (1 of 2"));
      two.eyes.see(A.host, "timeout");
      await until(() => one.a.startsWith("down (2 of 2"));
    },
    15_000,
  );

  test("a list of nodes that is no list: alone, and said why; and again together when it is gone", async () => {
    await using redis = await realRedis();
    await redis.say("SET", "tern:votes:nodes", "x");
    const one = await appliance(redis, "one");
    await until(() => one.cluster.status?.alone?.includes("WRONGTYPE") === true, 4000);
    await redis.say("DEL", "tern:votes:nodes");
    await until(() => one.cluster.status?.alone === undefined, 3000);
  }, 10_000);

  test("a thousand names of nobody do not hide who is there", async () => {
    await using redis = await realRedis();
    const [one, two] = [await appliance(redis, "one"), await appliance(redis, "two")];
    await until(() => one.cluster.status?.nodes.join() === "two", 3000);
    const nobody = Array.from({ length: 1000 }, (_, i) => `nobody-${i}`);
    await redis.say("SADD", "tern:votes:nodes", ...nobody);
    await Bun.sleep(1000);
    two.eyes.see(A.host, "timeout");
    await until(() => one.a.startsWith("up (1 of 2"));
  }, 15_000);

  test("our own ballot spoiled is put right", async () => {
    await using redis = await realRedis();
    const [one, two] = [await appliance(redis, "one"), await appliance(redis, "two")];
    await until(() => two.cluster.status?.nodes.join() === "one", 3000);
    await redis.say("DEL", "tern:votes:of:one");
    await redis.say("LPUSH", "tern:votes:of:one", "x");
    await until(() => two.cluster.status?.nodes.length === 0);
    await until(() => two.cluster.status?.nodes.join() === "one", 2500);
    expect(one.cluster.status?.alone).toBeUndefined();
  }, 10_000);
});
