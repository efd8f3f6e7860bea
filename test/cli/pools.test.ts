import { expect, test } from "bun:test";

import { type AllPools, showPools } from "../../src/cli/pools.ts";
import type { ServerStats } from "../../src/net/pools/pool-stats.ts";

const now = Date.UTC(2026, 0, 1);
const host: ServerStats = {
  address: "10.0.0.1:80",
  state: "up",
  set: "ready",
  why: "",
  since: new Date(now - 90_000).toISOString(),
  weight: "1",
  backup: "no",
  open: 3,
  total: 1000,
  failed: 0,
  connects: 10,
  connect_ms: 25,
  up_bytes: 0,
  down_bytes: 2048,
  ejections: 0,
  ejected: 0,
};
const pool = { sticky: "off", queued: 0, leaving: 0 };
const stats: AllPools = {
  app: {
    ...pool,
    scheduler: "leastconns",
    hosts: {
      "10.0.0.1:80": host,
      two: {
        ...host,
        address: "10.0.0.2:80",
        state: "down",
        why: "refused",
        backup: "yes",
        connects: 0,
      },
      three: { ...host, address: "10.0.0.3:80", set: "drain" },
    },
  },
  empty: { ...pool, scheduler: "random", hosts: {} },
};
const paint = (color: string, text: string) => (color === "yellow" ? `!${text}` : text);

test("who is up, and what they have in hand", () => {
  const lines = showPools(stats, { before: undefined, paint, now }).split("\n");
  expect(lines.map((line) => line.split(/ {2,}/).slice(0, 6))).toEqual([
    ["POOL", "HOST", "ADDRESS", "STATE", "FOR", "WEIGHT"],
    ["app (leastconns)", "10.0.0.1:80", "up", "1m30s", "1", "3"],
    ["!", "two", "10.0.0.2:80", "down", "1m30s", "1 backup"],
    ["", "three", "10.0.0.3:80", "up, set drain", "1m30s", "1"],
  ]);
  expect(lines[1]).toContain("2.5ms");
  expect(lines[2]).toEndWith("refused");
});

test("nobody knows since when a name has no addresses", () => {
  const lost = { ...host, state: "down" as const, since: new Date(0).toISOString() };
  const all = { app: { ...pool, scheduler: "random", hosts: { "srv:app.test": lost } } };
  const [, line = ""] = showPools(all, { before: undefined, paint, now }).split("\n");
  expect(line.split(/ {2,}/).slice(3, 5)).toEqual(["down", "-"]);
});

test("rates, when there is a moment before", () => {
  const later = { app: { ...stats.app!, hosts: { "10.0.0.1:80": { ...host, total: 1042 } } } };
  const shown = showPools(later, { before: stats, paint, now });
  expect(shown).toContain("PER SECOND");
  expect(shown).toMatch(/ 42 +1042 /);
});

test("nobody there", () => {
  expect(showPools({ empty: stats["empty"]! }, { before: undefined, paint, now })).toBe(
    "no pool has a server",
  );
});
