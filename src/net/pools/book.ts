import type { Clock } from "../../core/clock.ts";
import type { Log } from "../../observe/log.ts";
import type { Metrics } from "../../observe/metrics.ts";
import type { Health } from "../health/health.ts";
import type { Tallies } from "../tally/tallies.ts";
import { Following } from "./following.ts";
import { LivePool } from "./live-pool.ts";
import type { Member } from "./member.ts";
import { Names } from "./names.ts";
import type { PoolPlan } from "./plan.ts";
import { PoolMeters } from "./pool-meters.ts";
import { type PoolStats, poolStats } from "./pool-stats.ts";
import type { PoolKeeper, PoolsChange } from "./pool.ts";
import type { Resolver } from "./resolver.ts";
import { aloneSticky, type StickyShare } from "./sticky-share.ts";

export interface PoolBookParts {
  readonly clock: Clock;
  /** Milliseconds since 1970. */
  readonly wall: () => number;
  /** From 0 up to 1. */
  readonly dice: () => number;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly health: Health;
  readonly resolver: Resolver;
  readonly worker: { readonly index: number; readonly count: number };
  readonly tallies: Tallies;
  /** Nobody else when absent. */
  readonly share?: StickyShare;
}

/** Every pool of this process. Configs change what is in them; the pools and their servers stay. */
export class PoolBook implements PoolKeeper {
  readonly #parts: PoolBookParts;
  readonly #pools = new Map<string, LivePool>();
  readonly #following = new Map<string, Following>();
  readonly #names: Names;
  readonly #meters: PoolMeters;

  constructor(parts: PoolBookParts) {
    this.#parts = parts;
    this.#names = new Names(parts);
    this.#meters = new PoolMeters(parts.metrics, parts.worker.index);
    parts.metrics.onSnapshot(() => this.#meters.read(this.#pools.values()));
  }

  /** The pool of that name; it is there, without servers, before any config has it. */
  pool(name: string): LivePool {
    const known = this.#pools.get(name);
    if (known !== undefined) return known;
    const { share = aloneSticky } = this.#parts;
    const gone = (pool: LivePool, member: Member): void => this.#meters.last(pool.name, member);
    const made = new LivePool(name, { ...this.#parts, share, gone });
    this.#pools.set(name, made);
    return made;
  }

  async prepare(plans: readonly PoolPlan[]): Promise<PoolsChange> {
    const ready = await Promise.allSettled(plans.map((plan) => this.#follow(plan)));
    const made = ready.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
    const abandon = (): void => {
      for (const following of made)
        if (this.#following.get(following.plan.name) !== following) following.close();
    };
    const failed = ready.find((one) => one.status === "rejected");
    if (failed) {
      abandon();
      throw failed.reason;
    }
    return { commit: () => this.#commit(made), abandon };
  }

  stats(): Readonly<Record<string, PoolStats>> {
    return Object.fromEntries(
      [...this.#following].map(([name, { unknown }]) => [
        name,
        poolStats(this.pool(name), unknown),
      ]),
    );
  }

  /** How many servers were out. */
  retry(pool: string, host?: string): number {
    const following = this.#following.get(pool);
    if (following === undefined) return 0;
    following.hurry();
    return this.pool(pool).forgive(host);
  }

  heard(pool: string, client: string, server: string): void {
    this.#pools.get(pool)?.heard(client, server);
  }

  rest(): void {
    for (const following of this.#following.values()) following.close();
  }

  async #follow(plan: PoolPlan): Promise<Following> {
    const before = this.#following.get(plan.name);
    if (before?.closed === false && Bun.deepEquals(before.plan, plan)) return before;
    const heard = (since: number): void => this.#meters.heard(this.#parts.wall() - since);
    return Following.begin(plan, { ...this.#parts, names: this.#names, heard });
  }

  #commit(next: readonly Following[]): void {
    const wanted = new Set(next.map(({ plan }) => plan.name));
    for (const [name, following] of this.#following)
      if (!wanted.has(name)) {
        following.close();
        this.#following.delete(name);
        this.pool(name).apply(undefined, [], []);
      }
    for (const following of next) {
      const { name } = following.plan;
      const before = this.#following.get(name);
      if (before === following) continue;
      this.#following.set(name, following);
      following.serve(this.pool(name));
      before?.close();
    }
  }
}
