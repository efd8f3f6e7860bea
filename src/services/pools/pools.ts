/** Groups of servers: who is in them, who is alive, and how one is chosen. */
import * as v from "valibot";

import type { PoolStats } from "../../net/pools/pool-stats.ts";
import type { Host, Instance, Service } from "../service.ts";
import { changes } from "./changes.ts";
import { type PoolsConfig, poolsSchema } from "./config.ts";

export const pools: Service<PoolsConfig> = {
  name: "pools",
  about: "groups of servers that others send their clients to: schedulers, health, live changes",
  schema: poolsSchema,
  prepare,
  changes,
};

/** The instance whose pools are in force, of each process's keeper. */
const inForce = new WeakMap<object, Instance>();

async function prepare(config: PoolsConfig, { pools: keeper }: Host): Promise<Instance> {
  const change = await keeper.prepare(Object.values(config));
  let started = false;
  const instance: Instance = {
    start() {
      started = true;
      inForce.set(keeper, instance);
      change.commit();
    },
    stats: () => keeper.stats(),
    async stop(deadline) {
      if (!started) return change.abandon();
      if (inForce.get(keeper) !== instance) return; // the next config has it all
      inForce.delete(keeper);
      keeper.rest();
      // Services that finish what they have in hand may still need a server.
      deadline.addEventListener("abort", () => {
        if (!inForce.has(keeper)) void keeper.prepare([]).then((none) => none.commit());
      });
    },
    actions: {
      retry: {
        about: "forget that servers of a pool failed and probe them now",
        input: v.strictObject({ pool: v.string(), host: v.optional(v.string()) }),
        run: async ({ pool, host }: { pool: string; host?: string | undefined }) => {
          const known = keeper.stats()[pool];
          if (known === undefined) throw new Error(`there is no pool ${JSON.stringify(pool)}`);
          if (host !== undefined && !isOf(host, known))
            throw new Error(`pool ${pool} has no host ${JSON.stringify(host)}`);
          return { let_in: keeper.retry(pool, host) };
        },
      },
    },
  };
  return instance;
}

/** A server's name or address, or the name that several are looked up by. */
function isOf(host: string, { hosts }: PoolStats): boolean {
  return Object.entries(hosts).some(
    ([name, { address }]) => host === name || host === address || name.startsWith(`${host}/`),
  );
}
