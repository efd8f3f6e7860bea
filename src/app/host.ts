import { systemClock } from "../core/clock.ts";
import { Leases } from "../core/lease.ts";
import type { Nodes } from "../net/cluster/nodes.ts";
import { Fronts } from "../net/fronts/fronts.ts";
import type { Health } from "../net/health/health.ts";
import { OwnSockets } from "../net/own-sockets.ts";
import { PoolBook } from "../net/pools/book.ts";
import { machineResolver } from "../net/pools/resolver.ts";
import type { StickyShare } from "../net/pools/sticky-share.ts";
import { reactor, reportTrouble } from "../net/reactor-loop.ts";
import type { Sockets } from "../net/sockets.ts";
import type { Tallies } from "../net/tally/tallies.ts";
import type { CertificateStore } from "../net/tls/store.ts";
import type { Log } from "../observe/log.ts";
import type { Registry } from "../observe/registry.ts";
import type { Host } from "../services/service.ts";
import type { Logs } from "./logs.ts";

/** What a process that serves is made from. */
export interface HostParts {
  readonly log: Log;
  /** Where the access log is asked for: a reload may change it. */
  readonly logs: Pick<Logs, "accessLog">;
  readonly registry: Registry;
  readonly sockets: Sockets;
  readonly certificates: CertificateStore;
  readonly health: Health;
  /** What other processes are told, and tell, of clients that stick to servers. */
  readonly sticky: StickyShare;
  readonly nodes: Nodes;
  readonly tallies: Tallies;
  readonly state: string;
  readonly worker: { readonly index: number; readonly count: number };
}

/** What services are lent in this process, and the listeners behind it. */
export function makeHost(parts: HostParts): { host: Host; fronts: Fronts } {
  const { log, logs, registry, certificates, health, sticky, nodes, tallies, state, worker } =
    parts;
  const sockets = new OwnSockets(parts.sockets);
  const loop = reactor();
  const faults = registry.counter("tern_faults_total", "Errors of our own, caught and survived.");
  reportTrouble((error) => {
    faults.add(1);
    log.error("a connection's handler failed", { error });
  });
  const fronts = new Fronts({
    reactor: loop,
    sockets,
    certificates,
    log,
    metrics: registry,
    // Asked for every request: a reload may have changed it.
    get accessLog() {
      return logs.accessLog;
    },
  });
  const host: Host = {
    clock: systemClock,
    log,
    metrics: registry,
    get accessLog() {
      return logs.accessLog;
    },
    reactor: loop,
    http: fronts,
    sockets,
    leases: new Leases(),
    certificates,
    health,
    pools: new PoolBook({
      clock: systemClock,
      wall: Date.now,
      dice: Math.random,
      log: log.with({ service: "pools" }),
      metrics: registry,
      health,
      resolver: machineResolver(),
      share: sticky,
      tallies,
      worker,
    }),
    nodes,
    tallies,
    state,
    worker,
  };
  return { host, fronts };
}
