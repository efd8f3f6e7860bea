import { compileAccess } from "../../core/cidr.ts";
import { TokenBuckets } from "../../core/token-bucket.ts";
import type { ServiceConfig } from "./config.ts";
import type { Counted, Sessions } from "./sessions.ts";

/** Clients whose rate is known; beyond it those longest unseen start anew. */
const MAX_CLIENTS = 100_000;
/** Of `accept_rate`, how long a burst may be: what it allows in so many milliseconds comes at once. */
const ACCEPT_BURST_MS = 100;

/** Who may come in, and how many, by one config. */
export class Admission {
  readonly #config: ServiceConfig;
  readonly #sessions: Sessions<Counted>;
  readonly #allowed: ((address: string) => boolean) | undefined;
  readonly #denied: ((address: string) => boolean) | undefined;
  readonly #perClient: TokenBuckets | undefined;
  /** Of `accept_rate` (GCRA): when as many may come at once as ever, and what each of them costs. */
  #fullAt = 0;
  readonly #each: number;

  constructor(config: ServiceConfig, sessions: Sessions<Counted>) {
    const { allow, deny, limit, accept_rate: all } = config;
    this.#config = config;
    this.#sessions = sessions;
    this.#allowed = allow.length > 0 ? compileAccess(allow) : undefined;
    this.#denied = deny.length > 0 ? compileAccess(deny) : undefined;
    if (limit?.rate)
      this.#perClient = new TokenBuckets(limit.rate.perSecond, limit.burst, MAX_CLIENTS);
    this.#each = all === null ? 0 : 1000 / all.perSecond;
  }

  /** Why this client may not come in; undefined: it may. `now` in milliseconds. */
  refuses(address: string, now: number): "denied" | "refused" | undefined {
    if (this.#denied?.(address) || this.#allowed?.(address) === false) return "denied";
    const most = this.#config.limit?.connections ?? 0;
    if (most > 0 && this.#sessions.of(address) >= most) return "refused";
    if (this.#perClient !== undefined && this.#perClient.take(address, now) > 0) return "refused";
    return undefined;
  }

  /** Milliseconds until one more may be accepted; Infinity when one has to leave first. */
  wait(now: number): number {
    if (this.#sessions.open.size >= this.#config.max_connections) return Infinity;
    return Math.max(0, this.#fullAt - ACCEPT_BURST_MS - now);
  }

  /** One was accepted. */
  accepted(now: number): void {
    this.#fullAt = Math.max(this.#fullAt, now) + this.#each;
  }
}
