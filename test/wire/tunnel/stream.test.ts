import { expect, test } from "bun:test";

import type { ParityRules } from "../../../src/wire/tunnel/parity.ts";
import { PAYLOAD, stream } from "./stream.ts";

const SECOND = 1_000_000;

// What a segment carries is 93 of 100 bits on the link.
test.each([
  { story: "150 ms, 1 % lost each way", delay: 75_000, loss: 0.01, least: 89, whole: 75 },
  { story: "200 ms, 2 % lost each way", delay: 100_000, loss: 0.02, least: 86, whole: 68 },
  { story: "20 ms, 0.1 % lost each way", delay: 10_000, loss: 0.001, least: 90, whole: 89 },
])("a stream of cubic fills a link of 100 Mbit/s: $story", ({ delay, loss, least, whole }) => {
  const world = stream({ delay, loss, rate: 100e6 });
  const mbits = (segments: number, seconds: number): number =>
    (segments * PAYLOAD * 8) / seconds / 1e6;
  const early = world.run(6 * SECOND);
  world.there.longestQueue = 0;
  const late = world.run(18 * SECOND);
  expect(mbits(late - early, 12)).toBeGreaterThan(least);
  expect(mbits(late, 17)).toBeGreaterThan(whole);
  // It was no delay that ended slow start, and never a timeout.
  const pipe = (100e6 * 2 * delay) / 1500 / 8 / SECOND;
  expect(world.sender.startedWith).toBeGreaterThan(pipe);
  expect(world.sender.timeouts).toBe(0);
  // What waits, waits at the sender.
  expect(world.there.longestQueue).toBeLessThan(60_000);
});

test("parity spares a call beside a stream the wait for repairs, and costs the stream a part of the link", () => {
  const measure = (fec?: ParityRules) => {
    const world = stream({ delay: 100_000, loss: 0.01, rate: 100e6, ...(fec && { fec }) });
    const early = world.run(6 * SECOND);
    const before = world.delays.voice.length;
    const late = world.run(18 * SECOND);
    const calls = world.delays.voice.slice(before).toSorted((a, b) => a - b);
    return {
      mbits: ((late - early) * PAYLOAD * 8) / 12e6,
      // Five of a hundred packets take longer.
      slow: calls[Math.floor(calls.length * 0.95)] ?? Infinity,
      mended: world.mended,
    };
  };
  const without = measure();
  const parity = measure({ data: 10, parity: 1 });
  expect(without.mended).toBe(0);
  expect(parity.mended).toBeGreaterThan(700);
  expect(parity.slow).toBeLessThan(200_000);
  expect(parity.slow).toBeLessThan(without.slow / 1.5);
  expect(parity.mbits).toBeGreaterThan(75);
  expect(parity.mbits).toBeLessThan(without.mbits);
});
