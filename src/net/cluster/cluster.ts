import { randomBytes } from "node:crypto";

import type { Clock } from "../../core/clock.ts";
import type { Quorum } from "../../core/quorum.ts";
import type { Log } from "../../observe/log.ts";
import type { Metrics } from "../../observe/metrics.ts";
import type { Health } from "../health/health.ts";
import { RedisLink, type RedisPlace } from "./redis-link.ts";
import { VoteExchange } from "./vote-exchange.ts";
import { VotingHealth } from "./voting-health.ts";

/** Which cluster, and as whom. */
export interface Seat extends RedisPlace {
  /** What this appliance is called; no other one in the cluster is. */
  readonly node: string;
  /** How many nodes must see a server down before it is. */
  readonly quorum: Quorum;
}

export interface ClusterParts {
  readonly clock: Clock;
  /** Milliseconds since 1970. */
  readonly wall: () => number;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Who probes from here. */
  readonly own: Health;
}

/** What `tern status` says of it. */
export interface ClusterStatus {
  readonly node: string;
  /** The other nodes whose votes count. */
  readonly nodes: readonly string[];
  /** Why only our own view counts; undefined when Redis answers. */
  readonly alone: string | undefined;
  /** Targets that count as something else than our own probes say. */
  readonly overruled: number;
}

/** Being one of several nodes, in one seat. */
interface Membership {
  readonly seat: Seat;
  readonly exchange: VoteExchange;
  /** Whether the others are told that this node is gone. */
  readonly end: (withdraw: boolean) => Promise<void>;
  alone: string | undefined;
}

/** What this appliance shares with others: who is alive, by votes. With nobody, until it is told to. */
export class Cluster {
  readonly #parts: ClusterParts;
  readonly #voting: VotingHealth;
  #membership: Membership | undefined;

  constructor(parts: ClusterParts) {
    this.#parts = parts;
    const { metrics, own, wall, log } = parts;
    this.#voting = new VotingHealth({ own, wall, log });
    const connected = metrics.gauge("tern_cluster_connected", "Whether Redis answers: 1 or 0.");
    const nodes = metrics.gauge(
      "tern_cluster_nodes",
      "Nodes whose votes count, this one included.",
    );
    const overruled = metrics.gauge(
      "tern_cluster_overruled",
      "Targets that the votes of others make another than our own probes say.",
    );
    metrics.onSnapshot(() => {
      const { status } = this;
      connected.set(status && status.alone === undefined ? 1 : 0);
      nodes.set(status ? status.nodes.length + 1 : 0);
      overruled.set(status?.overruled ?? 0);
    });
  }

  /** Who is alive, as far as the nodes agree. */
  get health(): Health {
    return this.#voting;
  }

  /** Undefined when there is no cluster. */
  get status(): ClusterStatus | undefined {
    const membership = this.#membership;
    if (membership === undefined) return undefined;
    const { seat, exchange, alone } = membership;
    const { overruled } = this.#voting;
    return { node: seat.node, nodes: exchange.nodes, alone, overruled };
  }

  /** Be a node of this cluster from now on, or of none. Cannot fail: what is wrong is logged. */
  change(seat: Seat | undefined): void {
    const before = this.#membership;
    if (before !== undefined && seat !== undefined && sameSeat(before.seat, seat)) return;
    this.#membership = undefined;
    this.#voting.voted = () => {};
    if (before !== undefined) {
      // Under the same name the new votes replace the old ones.
      const stays = before.seat.url === seat?.url && before.seat.node === seat.node;
      void before.end(!stays);
      this.#voting.hear([], "majority");
    }
    if (seat !== undefined) this.#membership = this.#join(seat);
  }

  /** Leave in order: the others do not wait for our votes to expire. */
  async close(): Promise<void> {
    const before = this.#membership;
    this.#membership = undefined;
    await before?.end(true);
  }

  #join(seat: Seat): Membership {
    const { clock } = this.#parts;
    const { node, quorum } = seat;
    const log = this.#parts.log.with({ node });
    const end = new AbortController();
    const link = new RedisLink(seat, clock);
    const exchange = new VoteExchange({
      link,
      clock,
      node,
      instance: randomBytes(9).toString("base64url"),
      votes: () => this.#voting.votes,
      heard: (others) => {
        if (!end.signal.aborted) this.#voting.hear(others, quorum);
      },
      standing: (alone) => {
        if (alone === undefined) log.info("voting with the other nodes, over Redis");
        else log.warn("Redis does not answer: only our own view of servers counts", { why: alone });
        membership.alone = alone;
      },
      doubled: () => log.error("another appliance has the same name in this cluster"),
    });
    this.#voting.voted = () => exchange.voted();
    const linked = link.run();
    const exchanged = exchange.run(end.signal);
    const membership: Membership = {
      seat,
      exchange,
      alone: "not connected yet",
      end: async (withdraw) => {
        end.abort();
        if (membership.alone !== undefined) link.close(); // nobody answers: nobody is waited for
        await exchanged;
        if (withdraw) await exchange.withdraw();
        link.close();
        await linked;
      },
    };
    return membership;
  }
}

function sameSeat(a: Seat, b: Seat): boolean {
  return a.url === b.url && a.ca === b.ca && a.node === b.node && a.quorum === b.quorum;
}
