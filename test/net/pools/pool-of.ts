/** A pool with nothing outside the test behind it. */
import { LivePool, type PoolParts } from "../../../src/net/pools/live-pool.ts";
import type { Spec } from "../../../src/net/pools/member.ts";
import type { HostPlan, PoolPlan } from "../../../src/net/pools/plan.ts";
import type { Client, Server } from "../../../src/net/pools/pool.ts";
import { aloneSticky } from "../../../src/net/pools/sticky-share.ts";
import { dice } from "../../core/schedulers/field.ts";
import { FakeClock } from "../../fake/clock.ts";
import { memoryLog } from "../../fake/log.ts";
import { ownTallies } from "../../fake/tallies.ts";

/** What matters in a test; the rest is as usual. */
export type HostWish = Partial<Omit<Spec, "address">> & { readonly address?: string };

export function planOf(wishes: Partial<PoolPlan> = {}): PoolPlan {
  return {
    name: "app",
    scheduler: "roundrobin",
    sticky: "off",
    stickyTable: { size: 100, expire: 60_000 },
    hosts: [],
    check: null,
    retry: { attempts: "all", on: ["connect", "timeout"] },
    eject: { errors: 1, for: 120_000 },
    queue: { size: 10, timeout: 5000 },
    ...wishes,
  };
}

export function hostOf(label: string, wishes: Partial<HostPlan> = {}): HostPlan {
  const [host = "", port = ""] = label.split(":");
  return {
    label,
    place: { kind: "address", host, port: Number(port) },
    weight: 1,
    backup: false,
    slowStart: 0,
    maxConnections: 0,
    state: "ready",
    ...wishes,
  };
}

/** Servers called `a`, `b`, …, at 10.0.0.1, .2, … */
export function specs(...wishes: readonly HostWish[]): Spec[] {
  return wishes.map((wish, i) => ({
    name: "abcdefgh"[i] ?? String(i),
    label: "abcdefgh"[i] ?? String(i),
    address: `10.0.0.${i + 1}:80`,
    host: `10.0.0.${i + 1}`,
    port: 80,
    weight: 1,
    backup: false,
    slowStart: 0,
    limit: 0,
    state: "ready",
    ...wish,
  }));
}

export function poolOf(
  hosts: readonly HostWish[],
  wishes: Partial<PoolPlan> = {},
  parts: Partial<PoolParts> = {},
) {
  const clock = new FakeClock();
  const log = memoryLog();
  const gone: string[] = [];
  const pool = new LivePool("app", {
    clock,
    wall: () => 1_700_000_000_000 + clock.now(),
    dice: dice(5),
    log,
    share: aloneSticky,
    worker: { index: 0, count: 1 },
    tallies: ownTallies(),
    gone: (_, member) => gone.push(member.name),
    ...parts,
  });
  const plan = planOf(wishes);
  pool.apply(plan, specs(...hosts), []);
  return { pool, plan, clock, log, gone };
}

export function client(address = "192.0.2.1", hash = 1): Client {
  return { address, hash };
}

/** The name of whoever is chosen; "full" and "nobody" are what they say. */
export function chosen(pool: LivePool, who = client(), tried: readonly Server[] = []): string {
  const found = pool.choose(who, tried);
  return found === undefined ? "nobody" : found === "full" ? "full" : found.name;
}

/** Who is chosen by so many, one after another, each of them gone at once. */
export function choices(pool: LivePool, n: number): string {
  return Array.from({ length: n }, () => chosen(pool)).join("");
}

/** A server of the pool, by its name. */
export function member(pool: LivePool, name: string) {
  const found = pool.members.find((one) => one.name === name);
  if (found === undefined) throw new Error(`there is no ${name}`);
  return found;
}

/** A connection attempt of a client that ends like this. */
export function attempt(pool: LivePool, name: string, how: "refused" | "timeout" | "error" | "ok") {
  const one = member(pool, name);
  one.connecting();
  if (how === "ok") {
    one.connected(1);
    one.closed();
  } else one.failed(how);
}
