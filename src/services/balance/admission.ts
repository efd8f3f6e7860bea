import { randomBytes } from "node:crypto";

import { compileAccess } from "../../core/cidr.ts";
import { TokenBuckets } from "../../core/token-bucket.ts";
import { SharedCount } from "../../net/cluster/shared-count.ts";
import { SharedLimit } from "../../net/cluster/shared-limit.ts";
import type { Rate } from "../../net/tally/rate.ts";
import type { Host } from "../service.ts";
import type { ServiceConfig } from "./config.ts";
import type { Places } from "./places.ts";
import type { Counted, Sessions } from "./sessions.ts";

/** Clients whose rate is known; beyond it those longest unseen start anew. */
const MAX_CLIENTS = 100_000;
/** Of `accept_rate`, how long a burst may be: what it allows in so many milliseconds comes at once. */
const ACCEPT_BURST_MS = 100;

/** Who may come in, and how many, by one config. It holds for all workers of this machine together. */
export class Admission {
  readonly #config: ServiceConfig;
  readonly #sessions: Sessions<Counted>;
  readonly #allowed: ((address: string) => boolean) | undefined;
  readonly #denied: ((address: string) => boolean) | undefined;
  readonly #perClient: SharedLimit | undefined;
  /** Connections that clients have at other workers and nodes. */
  readonly #elsewhere: SharedCount | undefined;
  /** How many come in at all, at all workers. */
  readonly #rate: Rate | undefined;
  readonly #places: Places;

  /** `name`: of the service, the same wherever it runs. */
  constructor(
    config: ServiceConfig,
    sessions: Sessions<Counted>,
    name: string,
    places: Places,
    { clock, nodes, tallies }: Pick<Host, "clock" | "nodes" | "tallies">,
  ) {
    const { allow, deny, limit, accept_rate: all } = config;
    this.#config = config;
    this.#sessions = sessions;
    this.#allowed = allow.length > 0 ? compileAccess(allow) : undefined;
    this.#denied = deny.length > 0 ? compileAccess(deny) : undefined;
    if (limit?.rate) {
      const buckets = new TokenBuckets(limit.rate.perSecond, limit.burst, MAX_CLIENTS);
      this.#perClient = new SharedLimit(buckets, { clock, nodes, topic: `${name} rate` });
    }
    if (limit !== null && limit.connections > 0) {
      const who = randomBytes(8).toString("hex");
      this.#elsewhere = new SharedCount({ clock, nodes, topic: `${name} connections`, who });
    }
    this.#places = places;
    if (all !== null) this.#rate = tallies.rate(name);
  }

  /** Its config is in force from now on. */
  begin(): void {
    const counted = this.#elsewhere;
    this.#sessions.counted = counted && ((address, open) => counted.set(address, open));
    for (const [address, open] of this.#sessions.clients) counted?.set(address, open);
  }

  /** Nobody comes in any more, and those who did are another's or gone. */
  close(): void {
    this.#perClient?.close();
    this.#elsewhere?.close();
    this.#rate?.close();
  }

  /** Why this client may not come in; undefined: it may. */
  refuses(address: string): "denied" | "refused" | undefined {
    if (this.#denied?.(address) || this.#allowed?.(address) === false) return "denied";
    const most = this.#config.limit?.connections ?? 0;
    if (most > 0) {
      const here = this.#sessions.of(address);
      if (here >= most || here + (this.#elsewhere?.elsewhere(address) ?? 0) >= most)
        return "refused";
    }
    if (this.#perClient !== undefined && this.#perClient.take(address) > 0) return "refused";
    return undefined;
  }

  /** Take a place for one more: 0. Else milliseconds until there may be one; Infinity when one has to leave first. */
  enter(now: number): number {
    const { max_connections: most, accept_rate: rate } = this.#config;
    if (!this.#places.take(most)) return Infinity;
    const wait = rate === null ? 0 : (this.#rate?.take(rate.perSecond, ACCEPT_BURST_MS, now) ?? 0);
    if (wait > 0) this.#places.leave();
    return wait;
  }

  /** Nobody took the place. */
  unused(): void {
    const { accept_rate: rate } = this.#config;
    if (rate !== null) this.#rate?.giveBack(rate.perSecond);
    this.#places.leave();
  }
}
