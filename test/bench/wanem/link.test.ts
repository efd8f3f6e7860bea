import { describe, expect, test } from "bun:test";

import { change, CLEAN, type Conditions } from "./conditions.ts";
import { AT_ONCE, Link, LOST, OVERFLOWED } from "./link.ts";

describe("words", () => {
  test.each([
    { words: "", both: {} },
    { words: "delay=75ms  jitter=500us", both: { delay: 75_000, jitter: 500 } },
    { words: "delay=1.5s rate=100mbit", both: { delay: 1_500_000, rate: 1e8 } },
    {
      words: "loss=1 burst=4 duplicate=0.1 reorder=2",
      both: { loss: 0.01, burst: 4, duplicate: 0.001, reorder: 0.02 },
    },
    { words: "queue=10 rate=1gbit", both: { queue: 15_140, rate: 1e9 } },
    { words: "down", both: { down: true } },
    { words: "down up", both: { down: false } },
  ])("$words", ({ words, both }) => {
    const right: Conditions = { ...CLEAN, ...both };
    expect(change([CLEAN, CLEAN], words)).toEqual([right, right]);
  });

  test("for one direction, and on top of what was", () => {
    const slow = change([CLEAN, CLEAN], "delay=5ms") ?? [CLEAN, CLEAN];
    expect(change(slow, "ab.loss=5 ba.down")).toEqual([
      { ...CLEAN, delay: 5000, loss: 0.05 },
      { ...CLEAN, delay: 5000, down: true },
    ]);
  });

  test.each([
    "dealy=5ms",
    "delay=5",
    "delay=ms",
    "rate=5ms",
    "loss=1%",
    "burst=0.5",
    "ac.loss=1",
    "x",
  ])("%s is not understood", (words) => {
    expect(change([CLEAN, CLEAN], words)).toBeUndefined();
  });
});

function linkOf(conditions: Partial<Conditions>, seed = 1): Link {
  const link = new Link(seed);
  link.conditions = { ...CLEAN, ...conditions };
  return link;
}

test("a rate spaces packets, and a queue that is full drops them", () => {
  // 1500 bytes at 12 Mbit/s take a millisecond.
  const link = linkOf({ rate: 12e6, delay: 100, queue: 3000 });
  const due = Array.from({ length: 5 }, () => link.admit(1500, 0));
  expect(due).toEqual([1100, 2100, 3100, OVERFLOWED, OVERFLOWED]);
  expect(link.admit(1500, 1000)).toBe(4100);
  expect(link.admit(1500, 50_000)).toBe(51_100);
});

test("jitter keeps the order; what is reordered comes at once", () => {
  const link = linkOf({ delay: 10_000, jitter: 5000 });
  const due = Array.from({ length: 500 }, (_, i) => link.admit(100, i * 100));
  expect(due).toEqual(due.toSorted((a, b) => a - b));
  expect(Math.min(...due.map((at, i) => at - i * 100))).toBeGreaterThanOrEqual(5000);
  expect(linkOf({ delay: 10_000, reorder: 1 }).admit(100, 7)).toBe(AT_ONCE);
});

test.each([
  { story: "each by itself", loss: 0.02, burst: 1 },
  { story: "in runs of four", loss: 0.02, burst: 4 },
  { story: "half of them", loss: 0.5, burst: 10 },
])("losses $story", ({ loss, burst }) => {
  const link = linkOf({ loss, burst }, 9);
  const lost = Array.from({ length: 200_000 }, (_, i) => link.admit(1, i) === LOST);
  const share = lost.filter(Boolean).length / lost.length;
  const runs = lost.filter((one, i) => one && lost[i - 1] !== true).length;
  expect(share / loss).toBeWithin(0.9, 1.1);
  const mean = (share * lost.length) / runs;
  expect(mean / (burst === 1 ? 1 / (1 - loss) : burst)).toBeWithin(0.9, 1.1);
});

test("down is down", () => {
  expect(linkOf({ down: true }).admit(1, 0)).toBe(LOST);
});
