import type { GenericSchema } from "valibot";

import type { Edit, Written } from "../config/edit.ts";
import type { KeyPath } from "../config/key-path.ts";
import type { Clock } from "../core/clock.ts";
import type { Closable, Leases } from "../core/lease.ts";
import type { Certificates } from "../net/certificates.ts";
import type { Nodes } from "../net/cluster/nodes.ts";
import type { Health } from "../net/health/health.ts";
import type { HttpFronts } from "../net/http-fronts.ts";
import type { Listen } from "../net/listen.ts";
import type { PoolKeeper } from "../net/pools/pool.ts";
import type { Reactor } from "../net/reactor.ts";
import type { Sockets } from "../net/sockets.ts";
import type { Tallies } from "../net/tally/tallies.ts";
import type { AccessLog } from "../observe/access-log.ts";
import type { Log } from "../observe/log.ts";
import type { Metrics } from "../observe/metrics.ts";

/** What the appliance lends a service. Tests lend fakes. */
export interface Host {
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Undefined when no access log is configured. */
  readonly accessLog: AccessLog | undefined;
  readonly reactor: Reactor;
  /** Every HTTP listener of this process, shared by the services on it. */
  readonly http: HttpFronts;
  /** Listening sockets for what is not HTTP, TCP and UDP. */
  readonly sockets: Sockets;
  /** What outlives a reload, under names that begin with the service's: `dns udp 127.0.0.1:53`. */
  readonly leases: Leases<Closable>;
  readonly certificates: Certificates;
  /** Who is alive, probed once for the whole machine. */
  readonly health: Health;
  /** Groups of upstream servers, by the names the config gives them; kept by the service `pools`. */
  readonly pools: PoolKeeper;
  /** The same services of other appliances, where there is a cluster. */
  readonly nodes: Nodes;
  /** What all workers of this machine count together. */
  readonly tallies: Tallies;
  /** Directory for what must survive a restart; made, ours, 0700. */
  readonly state: string;
  /** Which of how many event-loop processes this is; { index: 0, count: 1 } when alone. */
  readonly worker: { readonly index: number; readonly count: number };
}

/** One thing the appliance can do. `app/services.ts` is the list of them. */
export interface Service<Config> {
  /** Section in the config file, tag in the logs, path in the admin API, word in the CLI. */
  readonly name: string;
  /** One line for `help`, the console and the config reference. */
  readonly about: string;
  /** The whole section: `web:` is a record of named sites, all of them in one Config. */
  readonly schema: GenericSchema<unknown, Config>;
  /** The section names files that are part of it (zones): every reload prepares it anew. */
  readonly rereads?: boolean;
  /**
   * Do everything that can fail: bind, open, resolve. Serve nothing yet. What should outlive
   * a reload (sockets, upstream health, caches, tunnel sessions) is leased, not made.
   */
  prepare(config: Config, host: Host): Promise<Instance>;
  /**
   * What is wrong between this section and the others (a pool that is not there), beyond what the
   * schema sees. Pure; `sections` are all sections of the file, read.
   */
  check?(config: Config, sections: Readonly<Record<string, unknown>>): readonly Complaint[];
  /** What is allowed and surely worth a word: told by `check`, and in the log. Pure. */
  advises?(config: Config): readonly Complaint[];
  /** Where it would listen. Pure: who gets in whose way is told before anything is bound. */
  listens?(config: Config): readonly Listen[];
  /** What an operator may change while it runs: one table feeds the admin API, the CLI, the console. */
  readonly changes?: Readonly<Record<string, Change<any>>>;
  /**
   * Numbers among its `stats` that say how much there is now, by how their paths end (`cache.bytes`, `usage.*.files`);
   * all others count up, and are drawn by how fast they do.
   */
  readonly levels?: readonly string[];
}

/** Something wrong with a value; whoever knows the file adds line and column. */
export interface Complaint {
  /** From the section's key on: `["balance", "web", "groups", "main", "pool"]`. */
  readonly path: KeyPath;
  readonly message: string;
}

/**
 * A change of the config asked for by name: what an edit of the file and a reload would do, at
 * once, in all workers; `tern save` then writes it to the file.
 */
export interface Change<Input> {
  readonly about: string;
  readonly input: GenericSchema<unknown, Input>;
  /** Pure. Throws Error, in words for the operator, when it cannot be done. */
  edits(input: Input, config: Written): readonly Edit[];
}

/** A service under one config. A new config means a new instance; the old one then stops. */
export interface Instance {
  /** Take the traffic. Cannot fail. */
  start(): void;
  /** What the console and /metrics show. Cheap; never waits. Plain JSON; numbers are summed over workers. */
  stats(): Readonly<Record<string, unknown>>;
  /** Where it listens by itself, for `status`; HTTP listeners are known already. Cheap. */
  listeners?(): readonly ListenerFigures[];
  /** Take no more work, finish what is in hand, be gone when `deadline` aborts. */
  stop(deadline: AbortSignal): Promise<void>;
  /** What an operator may ask of it: one table feeds the admin API, the CLI and the console. */
  readonly actions?: Readonly<Record<string, Action<any>>>;
}

/** One listener of one process. */
export interface ListenerFigures {
  /** `127.0.0.1:80` or `udp 127.0.0.1:53`; the same in every worker. */
  readonly listener: string;
  /** What the kernel chose, when the config says 0; 0 for a unix socket. */
  readonly port: number;
  /** Who is served there: `dns ns`. */
  readonly sites: readonly string[];
  /** Open now; undefined where nobody counts them for each listener. */
  readonly connections?: number;
  readonly requests?: number;
}

export interface Action<Input> {
  readonly about: string;
  readonly input: GenericSchema<unknown, Input>;
  run(input: Input): Promise<unknown>;
}
