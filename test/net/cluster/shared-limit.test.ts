import { describe, expect, test } from "bun:test";

import { systemClock } from "../../../src/core/clock.ts";
import { TokenBuckets } from "../../../src/core/token-bucket.ts";
import { type Nodes, noNodes } from "../../../src/net/cluster/nodes.ts";
import { SharedLimit } from "../../../src/net/cluster/shared-limit.ts";
import { SharedNodes } from "../../../src/net/cluster/shared-nodes.ts";
import { silent } from "../../../src/observe/log.ts";
import { Registry } from "../../../src/observe/registry.ts";
import { FakeClock } from "../../fake/clock.ts";
import { realRedis, REDIS } from "../../fake/redis.ts";
import { Room } from "../../fake/room.ts";

const WINDOW_MS = 200;

function limits(count: number, nodes: Nodes, perSecond = 10, burst = 20) {
  const clock = new FakeClock();
  const all = Array.from({ length: count }, () => {
    const buckets = new TokenBuckets(perSecond, burst, 1000);
    return new SharedLimit(buckets, { clock, nodes, topic: "t" });
  });
  return { clock, all };
}

function taken(one: SharedLimit | undefined, key: string, times: number): number {
  let n = 0;
  for (let i = 0; i < times; i++) if (one?.take(key) === 0) n++;
  return n;
}

describe("a limit of several", () => {
  test("what one lets in the others count, a window later", async () => {
    const { clock, all } = limits(2, new Room());
    const [a, b] = all;
    expect(taken(a, "kim", 15)).toBe(15);
    await clock.advance(WINDOW_MS);
    expect(taken(b, "kim", 30)).toBe(5);
    expect(taken(b, "ann", 30)).toBe(20);
  });

  test("all together get the rate, but for a window", async () => {
    const { clock, all } = limits(3, new Room());
    let got = 0;
    for (let t = 0; t < 20_000; t += 50) {
      for (const one of all) got += taken(one, "kim", 2);
      await clock.advance(50);
    }
    // 20 s at 10/s, the burst of each before the others heard, and what waits in windows.
    expect(got).toBeGreaterThan(150);
    expect(got).toBeLessThan(200 + 3 * 20 + 40);
  });

  test("nothing is told when nothing was taken, nor what was refused", async () => {
    const room = new Room();
    const { clock, all } = limits(2, room, 1, 1);
    await clock.advance(5000);
    taken(all[0], "kim", 100);
    await clock.advance(5000);
    expect(room.said).toEqual(['[["kim",1]]']);
  });

  test("what is old, or nonsense, means nothing; what is too much, a second", async () => {
    const room = new Room();
    const { clock, all } = limits(2, room);
    const [a, b] = all;
    room.age = 60_000;
    taken(a, "kim", 20);
    await clock.advance(WINDOW_MS);
    expect(b?.take("kim")).toBe(0);
    for (const text of [
      "",
      "{",
      "{}",
      "[1]",
      '[["kim"]]',
      '[["kim",-5]]',
      '[["kim",null]]',
      "[[5,5]]",
    ])
      room.tell(text);
    expect(b?.take("kim")).toBe(0);
    room.tell('[["kim",1e300]]');
    const wait = b?.take("kim") ?? 0;
    expect(wait).toBeGreaterThan(0);
    expect(wait).toBeLessThanOrEqual(1000);
    await clock.advance(1000);
    expect(b?.take("kim")).toBe(0);
  });

  test("alone it is a plain limit", () => {
    expect(taken(limits(1, noNodes).all[0], "kim", 100)).toBe(20);
  });
});

test.skipIf(REDIS === null)("over Redis, and by itself while that is away", async () => {
  await using redis = await realRedis();
  const make = (url: string): [SharedLimit, SharedNodes] => {
    const nodes = new SharedNodes({
      clock: systemClock,
      log: silent,
      metrics: new Registry(),
      tellNearby() {},
    });
    nodes.change({ url, ca: undefined });
    const buckets = new TokenBuckets(0.01, 50, 1000);
    return [new SharedLimit(buckets, { clock: systemClock, nodes, topic: "t" }), nodes];
  };
  const [[a, ofA], [b, ofB]] = [make(redis.url), make(redis.url)];
  expect(taken(a, "kim", 30)).toBe(30);
  await Bun.sleep(1500);
  expect(taken(b, "kim", 100)).toBe(20);
  await redis[Symbol.asyncDispose]();
  expect(taken(a, "ann", 100)).toBe(50);
  expect(taken(b, "ann", 100)).toBe(50);
  for (const one of [a, b]) one.close();
  for (const one of [ofA, ofB]) one.change(undefined);
});
