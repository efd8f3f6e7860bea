import { expect, test } from "bun:test";

import type { Command } from "../../../src/net/cluster/redis-link.ts";
import { VoteExchange } from "../../../src/net/cluster/vote-exchange.ts";
import { FakeClock } from "../../fake/clock.ts";

/** What Redis does with the few commands of the exchange. */
function fewCommands(clock: FakeClock) {
  const texts = new Map<string, { text: string; until: number }>();
  const names = new Set<string>();
  const answer = ([verb, key = "", ...rest]: Command): unknown => {
    if (verb === "SET")
      texts.set(key, { text: rest[0] ?? "", until: clock.now() + Number(rest[2]) });
    if (verb === "DEL") texts.delete(key);
    for (const name of rest) {
      if (verb === "SADD") names.add(name);
      if (verb === "SREM") names.delete(name);
    }
    if (verb === "SRANDMEMBER") return [...names];
    if (verb !== "GETRANGE") return "OK";
    const found = texts.get(key);
    if (found === undefined || found.until <= clock.now()) return "";
    return found.text.slice(Number(rest[0]), Number(rest[1]) + 1);
  };
  return { ask: (commands: readonly Command[]) => Promise.resolve(commands.map(answer)) };
}

function seats() {
  const clock = new FakeClock();
  const link = fewCommands(clock);
  let told = 0;
  const take = (instance: string, node: string): AbortController => {
    const gone = new AbortController();
    const parts = {
      link,
      clock,
      node,
      instance,
      votes: () => new Map(),
      heard: () => {},
      standing: () => {},
      doubled: () => told++,
    };
    void new VoteExchange(parts).run(gone.signal);
    return gone;
  };
  return {
    clock,
    take,
    get told() {
      return told;
    },
  };
}

const phases = Array.from({ length: 21 }, (_, i) => i * 53);

test.each(phases)("two of one name are told so, %d ms after each other", async (phase) => {
  const at = seats();
  const first = at.take("a1", "same");
  await at.clock.advance(phase);
  const second = at.take("b2", "same");
  await at.clock.advance(10_000);
  first.abort();
  second.abort();
  expect(at.told).toBeGreaterThan(0);
});

test.each(phases)("a successor that begins %d ms before the end is no double", async (phase) => {
  const at = seats();
  const first = at.take("a1", "same");
  await at.clock.advance(10_000);
  const second = at.take("b2", "same");
  await at.clock.advance(phase);
  first.abort();
  await at.clock.advance(10_000);
  second.abort();
  expect(at.told).toBe(0);
});
