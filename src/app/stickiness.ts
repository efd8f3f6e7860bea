import type { ClusterConfig } from "../config/cluster.ts";
import type { Clock } from "../core/clock.ts";
import { SharedSticky } from "../net/cluster/shared-sticky.ts";
import type { PoolPlan } from "../net/pools/plan.ts";
import type { StickyShare } from "../net/pools/sticky-share.ts";
import type { Metrics } from "../observe/metrics.ts";
import type { Stuck } from "../wire/cluster/sticky-news.ts";
import type { Sections } from "./plan.ts";
import { redisOf } from "./redis-of.ts";

/** News for neighbours are gathered for so long: clients come in crowds. */
const GATHER_MS = 2;
/** Told at once at most; the others' clients are told of when they come again. */
const MOST = 5000;

export interface StickinessParts {
  readonly clock: Clock;
  readonly metrics: Metrics;
  /** Tell the other workers of this machine. */
  readonly tell: (news: readonly Stuck[]) => void;
}

/**
 * Which client is with which server, told by this process to all others: to the other workers by
 * way of the supervisor, to other nodes over the cluster's Redis.
 */
export class Stickiness implements StickyShare {
  readonly #nodes: SharedSticky;
  readonly #tell: (news: readonly Stuck[]) => void;
  #untold = new Map<string, Stuck>();

  constructor({ clock, metrics, tell }: StickinessParts) {
    this.#nodes = new SharedSticky({ clock, metrics });
    this.#tell = tell;
  }

  /** From now on under this config: Redis is only asked when there is somebody to tell it of. */
  change(cluster: ClusterConfig | undefined, sections: Sections): void {
    const pools = Object.values(Object(sections["pools"])) as PoolPlan[]; // as its schema made them
    const wanted = pools.some(({ sticky }) => sticky === "ip");
    this.#nodes.change(wanted ? redisOf(cluster) : undefined);
  }

  find(pool: string, client: string): string | undefined {
    return this.#nodes.find(pool, client);
  }

  tell(pool: string, client: string, server: string, expire: number): void {
    this.#nodes.tell(pool, client, server, expire);
    if (this.#untold.size === MOST) return;
    if (this.#untold.size === 0) setTimeout(() => this.#flush(), GATHER_MS);
    this.#untold.set(`${pool}\n${client}`, { pool, client, server, expire });
  }

  #flush(): void {
    const news = [...this.#untold.values()];
    this.#untold = new Map();
    this.#tell(news);
  }
}
