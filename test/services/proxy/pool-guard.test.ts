/** What is remembered of pools, where strangers may name as many as they like. */
import { expect, test } from "bun:test";

import { PoolGuards } from "../../../src/services/proxy/pool-guard.ts";

test("a pool is remembered while anything is asked of it, and not many others", () => {
  const guards = new PoolGuards(1, 0);
  const busy = guards.of("busy");
  expect(busy.enter()).toBe(true);
  for (let i = 0; i < 100_000; i++) {
    const guard = guards.of(`host${i}.example.net`);
    expect(guard.enter()).toBe(true);
    guard.leave();
  }
  expect(guards.size).toBeLessThanOrEqual(1000);
  expect(guards.of("busy")).toBe(busy);
  expect(guards.of("busy").enter()).toBe(false);
});
