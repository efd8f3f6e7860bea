import { expect, test } from "bun:test";

import fc from "fast-check";

import { MtuSearch } from "../../../src/wire/tunnel/mtu-search.ts";

/** Let it ask a path that carries `carries(now)`, twice a second; questions asked by length. */
function search(most: number, carries: (now: number) => number, until: number) {
  const one = new MtuSearch(1200, most);
  const asked: number[] = [];
  const used: [number, number][] = [[0, most]];
  for (let now = 0; now < until; now += 500) {
    const length = one.next(now, true);
    if (length > 0) asked.push(length);
    if (length > 0 && length <= carries(now)) one.passed(length, now + 20);
    if (used.at(-1)?.[1] !== one.current) used.push([now, one.current]);
  }
  return { asked, used, current: one.current };
}

test("a path that carries all is asked once, then twice a minute", () => {
  const { asked, used } = search(1380, () => 1500, 120_000);
  expect(used).toEqual([[0, 1380]]);
  expect(asked.length).toBeLessThan(6);
});

test("one that carries less is known within a minute, and never used beyond it for long", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1200, max: 1379 }), (carries) => {
      const { current, used } = search(1380, () => carries, 60_000);
      expect(current).toBeLessThanOrEqual(carries);
      expect(current).toBeGreaterThan(carries - 9);
      expect(used[1]?.[0]).toBeLessThan(4000);
      expect(used[1]?.[1]).toBeLessThanOrEqual(carries);
    }),
  );
});

test("a path that gets shorter is noticed, and one that gets longer again", () => {
  const shorter = search(1380, (now) => (now < 60_000 ? 1500 : 1300), 200_000);
  expect(shorter.current).toBeGreaterThan(1290);
  expect(shorter.current).toBeLessThanOrEqual(1300);
  expect(search(1380, (now) => (now < 60_000 ? 1300 : 1500), 1_500_000).current).toBe(1380);
});

test("while nothing is answered, nothing is concluded", () => {
  const one = new MtuSearch(1200, 1380);
  for (let now = 0; now < 60_000; now += 500) one.next(now, false);
  expect(one.current).toBe(1380);
});
