import { afterAll, describe, expect, test } from "bun:test";

import { systemClock } from "../../../src/core/clock.ts";
import type { Talk } from "../../../src/net/cluster/nodes.ts";
import { SharedNodes, type Word } from "../../../src/net/cluster/shared-nodes.ts";
import { silent } from "../../../src/observe/log.ts";
import { Registry } from "../../../src/observe/registry.ts";
import { type RealRedis, realRedis, REDIS } from "../../fake/redis.ts";

const open: SharedNodes[] = [];
afterAll(() => {
  for (const one of open) one.change(undefined);
});

interface Node {
  readonly nodes: SharedNodes;
  readonly talk: Talk;
  readonly heard: { text: string; age: number }[];
  texts(): string[];
  counted(what: string): number;
}

/** One process; its clock may be wrong. */
function node(
  url: string | undefined,
  skew = 0,
  tellNearby: (word: Word) => void = () => {},
): Node {
  const metrics = new Registry();
  const clock = { ...systemClock, now: () => performance.now() + skew };
  const nodes = new SharedNodes({ clock, log: silent, metrics, tellNearby });
  open.push(nodes);
  if (url !== undefined) nodes.change({ url, ca: undefined });
  const heard: { text: string; age: number }[] = [];
  const talk = nodes.join("test", (text, age) => heard.push({ text, age }));
  return {
    nodes,
    talk,
    heard,
    texts: () => heard.map(({ text }) => text),
    counted: (what) =>
      metrics.snapshot().families[0]?.series.find(({ labels }) => labels["what"] === what)?.value ??
      0,
  };
}

async function until(met: () => boolean, ms = 5000): Promise<void> {
  for (const end = performance.now() + ms; !met(); await Bun.sleep(5))
    if (performance.now() > end) throw new Error(`not within ${ms} ms`);
}
const numbers = (n: number): string[] => Array.from({ length: n }, (_, i) => String(i));

test("without Redis those nearby hear what is fleeting, and only those at its topic", () => {
  const far: Word[] = [];
  const [a, b] = [node(undefined, 0, (word) => far.push(word)), node(undefined)];
  const heard: string[] = [];
  const [here, there] = [a, b].map(({ nodes }) => ({
    said: nodes.join("counts", (text, age) => heard.push(`${text} ${age}`), "fleeting"),
    other: nodes.join("others", (text) => heard.push(text), "fleeting"),
  }));
  here?.said.say("1", 0);
  a.talk.say("lasting", 0);
  expect(far).toEqual([{ topic: "counts", text: "1" }]);
  for (const word of far) b.nodes.heardNearby(word);
  expect(heard).toEqual(["1 0"]);
  there?.said.leave();
  for (const word of far) b.nodes.heardNearby(word);
  expect([heard.length, b.heard]).toEqual([1, []]);
});

describe.skipIf(REDIS === null)("words over Redis", () => {
  test("what one says the others hear once and in order, and so does who comes later", async () => {
    await using redis = await realRedis();
    const [a, b] = [node(redis.url, 3_600_000), node(redis.url, -3_600_000)];
    for (const text of numbers(2000)) a.talk.say(text, 0);
    b.talk.say("old", 60_000);
    await until(() => b.heard.length >= 2000 && a.heard.length > 0);
    expect(b.texts()).toEqual(numbers(2000));
    expect(a.texts()).toEqual(["old"]);
    const [old] = a.heard;
    expect(Math.abs((old?.age ?? 0) - 60_000)).toBeLessThan(5000);
    await Bun.sleep(300);
    const late = node(redis.url);
    await until(() => late.heard.length === 2001);
    for (const { text, age } of late.heard) if (text !== "old") expect(age).toBeGreaterThan(250);
    expect([a, b, late].map((one) => one.counted("lost"))).toEqual([0, 0, 0]);
  });

  test("topics are apart, and who has left hears nothing", async () => {
    await using redis = await realRedis();
    const [a, b] = [node(redis.url), node(redis.url)];
    const other: string[] = [];
    const joined = b.nodes.join("other", (text) => other.push(text));
    a.talk.say("one", 0);
    await until(() => b.heard.length === 1);
    expect(other).toEqual([]);
    joined.leave();
    b.talk.leave();
    a.talk.say("two", 0);
    await Bun.sleep(100);
    expect(b.texts()).toEqual(["one"]);
  });

  test("Redis dies, and comes back without its memory: all of it arrives, once", async () => {
    await using redis = await realRedis();
    const [a, b] = [node(redis.url), node(redis.url)];
    a.talk.say("0", 0);
    await until(() => b.heard.length === 1);
    await redis.kill();
    await Bun.sleep(100);
    a.talk.say("1", 0);
    await Bun.sleep(300);
    a.talk.say("2", 0);
    await redis.again();
    await until(() => b.heard.length === 3, 10_000);
    const late = node(redis.url);
    await until(() => late.heard.length === 3);
    expect(b.texts()).toEqual(numbers(3));
    expect(late.texts()).toEqual(numbers(3));
    expect(b.heard[1]?.age).toBeGreaterThan(300);
    expect(b.counted("lost")).toBe(0);
  }, 20_000);

  test("who was away hears what he missed; what Redis has forgotten by then is lost, and counted", async () => {
    await using redis = await realRedis();
    const [a, b] = [node(redis.url), node(redis.url)];
    a.talk.say("0", 0);
    await until(() => b.heard.length === 1);
    const { lastly } = await gap(redis, a);
    await until(() => b.texts().includes(lastly));
    expect(b.counted("lost")).toBe(1);
  });

  test("too much is said without Redis: the oldest are lost, and counted", async () => {
    await using redis = await realRedis();
    const [a, b] = [node(redis.url), node(redis.url)];
    a.talk.say("first", 0);
    await until(() => b.heard.length === 1);
    await redis.kill();
    await Bun.sleep(50);
    for (const text of numbers(12_000)) a.talk.say(text, 0);
    await until(() => a.counted("lost") === 2000);
    await redis.again();
    await until(() => b.heard.length === 10_001, 10_000);
    expect(b.texts().slice(1)).toEqual(numbers(12_000).slice(2000));
    expect(b.counted("lost")).toBe(2000);
  }, 20_000);

  test("long words do not fill the memory", () => {
    const a = node("redis://127.0.0.1:1");
    for (let i = 0; i < 100; i++) a.talk.say("x".repeat(100_000), 0);
    expect(a.counted("lost")).toBeGreaterThan(50);
  });

  test.each([
    ["text of somebody else", ["XADD", "tern:talk:test", "*", "from", "x", "words", "hello"]],
    ["other fields", ["XADD", "tern:talk:test", "*", "a", "b"]],
    ["1 MiB", ["XADD", "tern:talk:test", "*", "from", "x", "words", "x".repeat(1 << 20)]],
  ])("%s is no news, and what follows is", async (_, [name = "", ...args]) => {
    await using redis = await realRedis();
    await redis.say(name, ...args);
    const [a, b] = [node(redis.url), node(redis.url)];
    a.talk.say("one", 0);
    await until(() => b.texts().join() === "one");
  });

  test("a cluster that comes later, and another Redis", async () => {
    await using one = await realRedis();
    await using two = await realRedis();
    const [a, b] = [node(undefined), node(undefined)];
    a.talk.say("to nobody", 0);
    for (const { nodes } of [a, b]) nodes.change({ url: one.url, ca: undefined });
    a.talk.say("one", 0);
    await until(() => b.heard.length === 1);
    for (const { nodes } of [a, b]) nodes.change({ url: two.url, ca: undefined });
    a.talk.say("two", 0);
    await until(() => b.texts().includes("two"));
    expect(b.texts()).not.toContain("to nobody");
  });
});

/** Between two things that a node says, Redis drops one more that nobody has heard. */
async function gap(redis: RealRedis, { talk }: Node): Promise<{ lastly: string }> {
  talk.say("1", 0);
  await Bun.sleep(50);
  const stream = (await redis.say("XRANGE", "tern:talk:test", "-", "+")) as [string, string[]][];
  const from = stream.at(-1)?.[1][1] ?? "";
  // As if it had said two, and the first of them had been trimmed away.
  await redis.say("XADD", "tern:talk:test", "*", "from", from, "words", '[3,[["3",0]]]');
  return { lastly: "3" };
}
