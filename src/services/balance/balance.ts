/** Layer 4: clients' connections, sent to the servers of a pool. */
import { closest } from "../../core/suggest.ts";
import type { Listen } from "../../net/listen.ts";
import type { Complaint, Host, Instance, ListenerFigures, Service } from "../service.ts";
import { Balancer } from "./balancer.ts";
import { changes } from "./changes.ts";
import { type BalanceConfig, balanceSchema } from "./config.ts";
import { kill, killInput, sessionsInput, sessionsOf } from "./session-list.ts";
import { UdpBalancer } from "./udp/udp-balancer.ts";

export const balance: Service<BalanceConfig> = {
  name: "balance",
  about: "a load balancer for TCP and UDP: groups of servers, switched while it runs",
  schema: balanceSchema,
  prepare,
  check,
  listens,
  changes,
};

async function prepare(config: BalanceConfig, host: Host): Promise<Instance> {
  const balancers: (Balancer | UdpBalancer)[] = [];
  try {
    for (const [name, one] of Object.entries(config))
      balancers.push(
        await (one.protocol === "udp" ? UdpBalancer : Balancer).prepare(name, one, host),
      );
  } catch (failed) {
    await Promise.all(balancers.map((one) => one.stop(AbortSignal.abort())));
    throw failed;
  }

  return {
    start() {
      for (const one of balancers) {
        one.start();
        const { name, listeners } = one;
        if (host.worker.index === 0) host.log.info("balancing", { balance: name, listeners });
      }
    },
    stats: () => Object.fromEntries(balancers.map((one) => [one.name, one.stats()])),
    listeners: () => balancers.flatMap(listenersOf),
    async stop(deadline) {
      await Promise.all(balancers.map((one) => one.stop(deadline)));
    },
    actions: {
      sessions: {
        about: "connections that are open: whose, with which server, for how long, how much",
        input: sessionsInput,
        run: async (input) => sessionsOf(balancers, input, host),
      },
      kill: {
        about: "end a connection: both sides get a RST",
        input: killInput,
        run: async (input) => kill(balancers, input),
      },
    },
  };
}

/** Connections are counted for the service: they are told of a listener that is its only one. */
function listenersOf(one: Balancer | UdpBalancer): ListenerFigures[] {
  const { name, listeners } = one;
  const { open, accepted } = one.stats();
  return listeners.map((listener) => ({
    listener,
    port: Number(/:(\d+)$/.exec(listener)?.[1] ?? 0),
    sites: [`balance ${name}`],
    ...(listeners.length === 1 && {
      connections: Number(open),
      requests: Number(accepted),
    }),
  }));
}

function listens(config: BalanceConfig): Listen[] {
  return Object.entries(config).flatMap(([name, { listen, protocol, tls }]) =>
    listen.map((address, i) => {
      const path = ["balance", name, "listen", i];
      return { path, address, protocol, certified: tls === "terminate" };
    }),
  );
}

/** Pools that are there. */
function check(config: BalanceConfig, sections: Readonly<Record<string, unknown>>): Complaint[] {
  const complaints: Complaint[] = [];
  const pools = Object.keys(Object(sections["pools"]));
  for (const [name, one] of Object.entries(config))
    for (const [group, { pool }] of Object.entries(one.groups))
      if (!pools.includes(pool))
        complaints.push({
          path: ["balance", name, "groups", group, "pool"],
          message: `there is no pool "${pool}"${meant(pool, pools)}`,
        });
  return complaints;
}

function meant(pool: string, pools: readonly string[]): string {
  const near = closest(pool, pools);
  return near === undefined ? "" : `; did you mean "${near}"?`;
}
