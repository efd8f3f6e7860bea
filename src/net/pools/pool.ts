import type { PoolPlan } from "./plan.ts";
import type { PoolStats } from "./pool-stats.ts";

/** What a scheduler may go by when it chooses a server. */
export interface Client {
  /**
   * 32 bits, unsigned: of the client's address (iphash, maglev), or of the URL (urlhash). Asked for by these
   * schedulers only, once by each choice: it may be made then.
   */
  readonly hash: number;
  /** The client's IP address, for stickiness; "" when nobody knows it. */
  readonly address: string;
}

/** Why a server was not reached, as one word. */
export type ConnectFailure = "refused" | "timeout" | "unreachable" | "reset" | "tls" | "error";

/** One server of a pool. The same object for as long as the pool has it, whatever changes about it. */
export interface Server {
  /** As the config names it; its address when it has no name. */
  readonly name: string;
  /** An IP address. */
  readonly host: string;
  readonly port: number;
  /** Whether it may be chosen now. */
  readonly eligible: boolean;
  /** Connections of this process that are with it now, those being made included. */
  readonly open: number;

  /** A connection to it is made: it counts as open from now on. */
  connecting(): void;
  /**
   * A connection to it stands, after so many milliseconds. `proven` false: whether it does its work
   * is still to be seen, and is told by `answered` or `failed`.
   */
  connected(tookMs: number, proven?: boolean): void;
  /** It did what it was asked: failures before it count no more. */
  answered(): void;
  /** It could not be reached, or did not do what it was asked: the connection no longer counts, the pool hears of it. */
  failed(why: ConnectFailure, during?: "connect" | "answer"): void;
  /** A connection that was connected is over. */
  closed(): void;
  /** Bytes from the client to it, and from it to the client. */
  transferred(up: number, down: number): void;
}

/** Servers that do the same work, and the way one of them is chosen. */
export interface Pool {
  readonly name: string;
  /** What `Client.hash` should be of. */
  readonly hashes: "address" | "url";
  /** Whether clients come back to their server, and by what. */
  readonly sticky: "off" | "ip" | "cookie";
  /** What to do about a server that cannot be reached. */
  readonly retry: Retry;
  /**
   * The server for a client. Undefined: nobody is eligible, or all who are were `tried`. "full":
   * everybody eligible has as many connections as it may.
   */
  choose(client: Client, tried?: readonly Server[]): Server | undefined | "full";
  /**
   * The server that a client comes back to, where it says which: if it still takes those it has.
   * "full": it does, but has as many connections as it may.
   */
  keeper(is: (server: Server) => boolean): Server | undefined | "full";
  /**
   * Wait in the pool's queue until somebody is no longer full. Undefined: not within the pool's
   * queue timeout, or `signal` aborted. Whoever gets a server calls its `connecting` at once.
   */
  queue(client: Client, signal: AbortSignal): Promise<Server | undefined>;
}

/** The contract's `retry:`. */
export interface Retry {
  /** How many more servers are asked after the first. */
  readonly attempts: number;
  /** `connect`, `timeout`, or a status such as "502". */
  readonly on: ReadonlySet<string>;
}

/** The pools of this process, under the config in force. */
export interface Pools {
  /** The pool of that name; one that the config does not have (any more) has no servers. */
  pool(name: string): Pool;
}

/** A config for the pools that is ready to be put in force: one of the two is called. */
export interface PoolsChange {
  /** At once, in place: servers that stay are the same objects. */
  commit(): void;
  abandon(): void;
}

/** What the service of the pools asks of them; for everybody else they are `Pools`. */
export interface PoolKeeper extends Pools {
  /**
   * Look up names and probe servers for these pools, which will be all there are. Resolves when
   * that has told something, within seconds. Rejects when a kind of check cannot be done here.
   */
  prepare(plans: readonly PoolPlan[]): Promise<PoolsChange>;
  /** Every pool of the config, by name. */
  stats(): Readonly<Record<string, PoolStats>>;
  /** Forget that servers failed and probe now: all of a pool, or one host. How many were out. */
  retry(pool: string, host?: string): number;
  /** Another process has sent a client of a pool to this server (`10.0.0.1:80`). */
  heard(pool: string, client: string, server: string): void;
  /** Look nothing up and probe nobody any more: everything stays as it is known. */
  rest(): void;
}

/** Where there are none. */
export const noPools: PoolKeeper = {
  pool: (name) => ({
    name,
    hashes: "address",
    sticky: "off",
    retry: { attempts: 0, on: new Set() },
    choose: () => undefined,
    keeper: () => undefined,
    queue: async () => undefined,
  }),
  prepare: async () => ({ commit() {}, abandon() {} }),
  stats: () => ({}),
  retry: () => 0,
  heard() {},
  rest() {},
};
