import type { ActionForm } from "../admin/deps.ts";
import type { Ran } from "../admin/run-action.ts";
import type { Address } from "../core/address.ts";
import type { SocketOptions } from "../core/socket-options.ts";
import type { Word } from "../net/cluster/shared-nodes.ts";
import type { Target } from "../net/health/check.ts";
import type { Snapshot } from "../net/tls/store.ts";
import type { Level } from "../observe/log.ts";
import type { MetricsSnapshot } from "../observe/metrics.ts";
import type { ListenerFigures } from "../services/service.ts";
import type { DatagramOptions } from "../sys/datagram-socket.ts";
import type { Stuck } from "../wire/cluster/sticky-news.ts";
import type { ConfigText } from "./config-text.ts";
import type { Renewal } from "./crew.ts";
import type { Verdicts } from "./worker-health.ts";

/** What a worker says of itself. Plain JSON. */
export interface Report {
  readonly pid: number;
  /** Milliseconds since it began. */
  readonly uptime: number;
  readonly rss: number;
  /** Longest time its event loop was busy in one go lately, in milliseconds. */
  readonly lag: number;
  readonly listeners: readonly ListenerFigures[];
  readonly services: readonly string[];
  readonly stats: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly metrics: MetricsSnapshot;
}

/** A line of a worker's log. */
export interface Logged {
  readonly level: Level;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** The actions of each service, by name. */
export type Forms = Readonly<Record<string, Readonly<Record<string, ActionForm>>>>;

/** What the supervisor asks of a worker. */
export type Orders = {
  /** The first one: who it is and what to work with. Serves nothing yet. */
  begin: {
    ask: { index: number; count: number; config: ConfigText; certificates: Snapshot };
    answer: null;
  };
  /** Everything that can fail of a new config; `commit` or `abandon` follows. */
  prepare: { ask: { config: ConfigText; how: Renewal }; answer: null };
  /** Answers when the new serves; the old finishes by itself. */
  commit: { ask: null; answer: null };
  abandon: { ask: null; answer: null };
  /** Finish what is in hand, within so many milliseconds; answers with the last report. */
  stop: { ask: { within: number }; answer: Report };
  report: { ask: null; answer: Report };
  /** What its services can be asked. */
  actions: { ask: null; answer: Forms };
  act: { ask: { service: string; action: string; input: unknown }; answer: Ran };
  certificates: { ask: Snapshot; answer: null };
  /** Who is alive now, of one list that it has watched: always the whole list. */
  health: { ask: Verdicts; answer: null };
  /** Where the clients of other workers are. */
  stuck: { ask: readonly Stuck[]; answer: null };
  /** What services of another worker say to ours. */
  told: { ask: Word; answer: null };
  /** Open log files again by name. */
  reopen: { ask: null; answer: null };
};

/** What a worker asks of the supervisor. */
export type Requests = {
  /** Listening sockets; `count` descriptors come over the other channel, marked with `ticket`. */
  listen: {
    ask: { address: Address; options: SocketOptions; owner: string };
    answer: { ticket: number; count: number; port: number };
  };
  /** The same for UDP sockets. */
  datagrams: {
    ask: { address: Address; options: DatagramOptions; owner: string };
    answer: { ticket: number; count: number; port: number };
  };
  /** It is not listened on here any more. */
  unlisten: { ask: { ticket: number }; answer: null };
  /** Have servers probed; the answer has the first verdicts, `health` the later ones. */
  watch: { ask: { ticket: number; targets: readonly Target[] }; answer: Verdicts };
  /** Where clients of pools are now, for the other workers. */
  stuck: { ask: readonly Stuck[]; answer: null };
  /** What services here say to those of the other workers. */
  told: { ask: Word; answer: null };
  /** Probe them now. */
  hurry: { ask: { ticket: number }; answer: null };
  unwatch: { ask: { ticket: number }; answer: null };
  /** Something happened that an operator may want to see; plain JSON, without secrets. */
  logged: { ask: Logged; answer: null };
};

/** Descriptors of a worker's stdio beyond the first three. */
export const WORKER_SOCKETS_FD = 3;
export const WORKER_LOG_FD = 4;
/** Where workers count together, if there is such memory. */
export const WORKER_TALLY_FD = 5;
