import { afterAll, describe, expect, test } from "bun:test";

import { systemClock } from "../../../src/core/clock.ts";
import { SharedSticky } from "../../../src/net/cluster/shared-sticky.ts";
import { Registry } from "../../../src/observe/registry.ts";
import { realRedis, REDIS } from "../../fake/redis.ts";

const MINUTE = 60_000;
const open: SharedSticky[] = [];
afterAll(() => {
  for (const one of open) one.close();
});

/** One process; its clock may be wrong. */
function worker(url: string, skew = 0) {
  const metrics = new Registry();
  const clock = { ...systemClock, now: () => performance.now() + skew };
  const sticky = new SharedSticky({ clock, metrics });
  open.push(sticky);
  sticky.change({ url, ca: undefined });
  const counted = (what: string) =>
    metrics.snapshot().families[0]?.series.find(({ labels }) => labels["what"] === what)?.value ??
    0;
  return { sticky, counted };
}

async function until(met: () => boolean, ms = 2000): Promise<void> {
  for (const end = performance.now() + ms; !met(); await Bun.sleep(5))
    if (performance.now() > end) throw new Error(`not within ${ms} ms`);
}

/** Told until it is known: the first connection takes a moment. */
async function known(from: SharedSticky, to: SharedSticky, client: string, server: string) {
  await until(() => {
    from.tell("app", client, server, 40); // so short a time that it is told again soon
    return to.find("app", client) === server;
  });
}

describe.skipIf(REDIS === null)("sticky clients over Redis", () => {
  test("what one process tells, the others know; and whoever comes later does", async () => {
    await using redis = await realRedis();
    const [a, b] = [worker(redis.url, 3_600_000), worker(redis.url, -3_600_000)];
    await known(a.sticky, b.sticky, "192.0.2.9", "10.0.0.9:80");
    a.sticky.tell("app", "192.0.2.1", "10.0.0.1:80", MINUTE);
    a.sticky.tell("other", "192.0.2.1", "10.0.0.2:80", MINUTE);
    await until(() => b.sticky.find("other", "192.0.2.1") === "10.0.0.2:80");
    expect(b.sticky.find("app", "192.0.2.1")).toBe("10.0.0.1:80");
    expect(b.sticky.find("third", "192.0.2.1")).toBeUndefined();
    expect(a.sticky.find("app", "192.0.2.1")).toBeUndefined(); // it said so itself
    const late = worker(redis.url);
    await until(() => late.sticky.find("app", "192.0.2.1") === "10.0.0.1:80");
    expect(await redis.say("PTTL", "tern:sticky")).toBeGreaterThan(MINUTE / 2);
  });

  test("the last word counts, and ends with its time, for late comers too", async () => {
    await using redis = await realRedis();
    const [a, b] = [worker(redis.url), worker(redis.url)];
    await known(a.sticky, b.sticky, "192.0.2.9", "10.0.0.9:80");
    a.sticky.tell("app", "192.0.2.1", "10.0.0.1:80", 600);
    await until(() => b.sticky.find("app", "192.0.2.1") === "10.0.0.1:80");
    b.sticky.tell("app", "192.0.2.1", "10.0.0.2:80", 600);
    await until(() => a.sticky.find("app", "192.0.2.1") === "10.0.0.2:80");
    a.sticky.tell("app", "192.0.2.1", "10.0.0.1:80", 600); // though it has just said so
    await until(() => b.sticky.find("app", "192.0.2.1") === "10.0.0.1:80");
    await Bun.sleep(300);
    const late = worker(redis.url);
    await until(() => late.sticky.find("app", "192.0.2.1") === "10.0.0.1:80", 250);
    await until(() => late.sticky.find("app", "192.0.2.1") === undefined, 400);
  });

  test("a client that comes often is told of once", async () => {
    await using redis = await realRedis();
    const [a, b] = [worker(redis.url), worker(redis.url)];
    await known(a.sticky, b.sticky, "192.0.2.9", "10.0.0.9:80");
    await Bun.sleep(100);
    const before = a.counted("told");
    for (let i = 0; i < 100; i++) {
      a.sticky.tell("app", "192.0.2.1", "10.0.0.1:80", MINUTE);
      await Bun.sleep(1);
    }
    await Bun.sleep(100);
    expect(a.counted("told") - before).toBe(1);
  });

  test("more clients than can be told of: a part is lost, nothing grows", async () => {
    await using redis = await realRedis();
    const [a, b] = [worker(redis.url), worker(redis.url)];
    await known(a.sticky, b.sticky, "192.0.2.9", "10.0.0.9:80");
    for (let i = 0; i < 20_000; i++) a.sticky.tell("app", `client-${i}`, "10.0.0.1:80", MINUTE);
    await until(() => b.sticky.find("app", "client-9990") !== undefined);
    expect(b.sticky.find("app", "client-19999")).toBeUndefined();
    expect(a.counted("lost")).toBeGreaterThan(9000);
  });

  test("without Redis what is known stays known; with it news travel again", async () => {
    await using redis = await realRedis();
    const [a, b] = [worker(redis.url), worker(redis.url)];
    await known(a.sticky, b.sticky, "192.0.2.9", "10.0.0.9:80");
    a.sticky.tell("app", "192.0.2.1", "10.0.0.1:80", MINUTE);
    await until(() => b.sticky.find("app", "192.0.2.1") !== undefined);
    await redis.kill();
    a.sticky.tell("app", "192.0.2.2", "10.0.0.1:80", MINUTE);
    await until(() => a.counted("lost") > 0);
    expect(b.sticky.find("app", "192.0.2.1")).toBe("10.0.0.1:80");
    await redis.again();
    await until(() => {
      a.sticky.tell("app", "192.0.2.3", "10.0.0.3:80", 40);
      return b.sticky.find("app", "192.0.2.3") !== undefined;
    }, 8000);
  }, 15_000);

  test.each([
    ["text of somebody else", ["XADD", "tern:sticky", "*", "from", "x", "stuck", "hello"]],
    ["other fields", ["XADD", "tern:sticky", "*", "a", "b"]],
    ["16 MiB", ["XADD", "tern:sticky", "*", "from", "x", "stuck", "x".repeat(16 << 20)]],
  ])("%s is no news, and what follows is", async (_, [name = "", ...args]) => {
    await using redis = await realRedis();
    await redis.say(name, ...args);
    const [a, b] = [worker(redis.url), worker(redis.url)];
    await known(a.sticky, b.sticky, "192.0.2.1", "10.0.0.1:80");
  });

  test("a stream that is none: nothing is shared, until it is gone", async () => {
    await using redis = await realRedis();
    await redis.say("SET", "tern:sticky", "x");
    const [a, b] = [worker(redis.url), worker(redis.url)];
    await Bun.sleep(200);
    a.sticky.tell("app", "192.0.2.1", "10.0.0.1:80", MINUTE);
    await until(() => a.counted("lost") === 1);
    await redis.say("DEL", "tern:sticky");
    await until(() => {
      a.sticky.tell("app", "192.0.2.3", "10.0.0.3:80", 40);
      return b.sticky.find("app", "192.0.2.3") !== undefined;
    }, 4000);
  }, 10_000);
});
