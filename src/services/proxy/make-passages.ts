/** From the config of a proxy to its routes, ready for requests. */
import { lookup } from "node:dns/promises";
import { hostname } from "node:os";

import { showAddress } from "../../core/address.ts";
import { compileAccess } from "../../core/cidr.ts";
import { hashText } from "../../core/schedulers/hash.ts";
import { Dialer } from "../../net/tcp/dialer.ts";
import { clientTls } from "../../net/tls/client-tls.ts";
import { ServerGreeting } from "../../net/tls/server-greeting.ts";
import { Upstream } from "../../net/upstream/upstream.ts";
import { respond } from "../../wire/http/message.ts";
import type { Host } from "../service.ts";
import { makeAuth } from "./auth.ts";
import type { Cache } from "./cache/cache.ts";
import { Compression } from "./compression.ts";
import type { OneProxy, RouteConfig } from "./config.ts";
import { Cors } from "./cors.ts";
import { ErrorPages } from "./error-pages.ts";
import { NAME } from "./fields.ts";
import { ForwardPools } from "./forward-pool.ts";
import { merged } from "./merged.ts";
import { Passage, type PassageParts } from "./passage.ts";
import { PoolGuards } from "./pool-guard.ts";
import { RouteMeters } from "./route-meters.ts";
import { Split } from "./split.ts";
import { stickyKey } from "./sticky-key.ts";
import { Sticky } from "./sticky.ts";

/** What the routes of one proxy are made of. */
export interface Made {
  readonly passages: readonly Passage[];
  /** Connections to servers: one set for each way to speak with them. */
  readonly upstreams: readonly Upstream[];
}

/** Throws Error, in words for the operator, when a file cannot be read. */
export function passagesOf(
  name: string,
  config: OneProxy,
  cache: Cache | undefined,
  host: Host,
): Made {
  const upstreams = new Upstreams(config, host);
  const { max_pending: most, retry_budget: percent } = config.upstream;
  const guards = new PoolGuards(most, percent);
  const now = (): number => host.reactor.now; // as fine as is needed, and costs nothing
  const common: Omit<
    PassageParts,
    "upstream" | "meters" | "auth" | "cors" | "split" | "forward" | "via"
  > = {
    pools: host.pools,
    cache,
    log: host.log.with({ proxy: name }),
    now,
    trusted: compileAccess(config.trust),
    guard: (pool) => guards.of(pool),
    sticky: stickyFor(config, host.state),
    pages:
      Object.keys(config.error_pages).length > 0
        ? new ErrorPages(config.error_pages, config.intercept_errors)
        : undefined,
    compression: config.compress ? new Compression(config.compress) : undefined,
    forwarded: config.forwarded,
  };
  const passages = config.routes.map((route) => {
    const upstream = upstreams.for(route);
    const meters = new RouteMeters(host.metrics, name, `${route.host}${route.path}`);
    const changes = {
      request: merged(config.headers.request, route.headers.request),
      response: merged(config.headers.response, route.headers.response),
    };
    const { auth, cors, split, forward } = route;
    return new Passage(route, changes, {
      ...common,
      upstream,
      meters,
      auth:
        auth &&
        makeAuth(auth, {
          pools: host.pools,
          upstream: upstreams.plain,
          trusted: common.trusted,
          now,
          failed: ({ status, why }) => {
            common.log.warn("who decides who may come in did not answer", { why });
            return respond(status, [], `${status}\n`);
          },
        }),
      cors: cors && new Cors(cors),
      split: split && new Split(split),
      forward: forward && new ForwardPools(forward, addressesOf, now),
      via: forward === undefined ? NAME : ownName(config),
    });
  });
  return { passages, upstreams: upstreams.all };
}

/** Connections by how servers are spoken to. */
class Upstreams {
  readonly #config: OneProxy;
  readonly #host: Host;
  readonly #dialer: Dialer;
  readonly #made = new Map<string, Upstream>();

  constructor(config: OneProxy, host: Host) {
    this.#config = config;
    this.#host = host;
    this.#dialer = new Dialer(host.reactor);
  }

  get all(): readonly Upstream[] {
    return [...this.#made.values()];
  }
  /** Without TLS. */
  get plain(): Upstream {
    return this.#of(null);
  }
  for({ backend_tls: tls, host_header: name }: RouteConfig): Upstream {
    if (tls === null) return this.plain;
    const fixed = name === "client" || name === "server" || name.startsWith("[") ? null : name;
    return this.#of({ ...tls, server_name: tls.server_name ?? fixed });
  }

  #of(tls: RouteConfig["backend_tls"]): Upstream {
    const key = JSON.stringify(tls);
    let upstream = this.#made.get(key);
    if (upstream !== undefined) return upstream;
    const {
      connect_timeout: connectTimeout,
      idle,
      idle_timeout: idleTimeout,
      head,
    } = this.#config.upstream;
    const limits = { connectTimeout, maxIdle: idle, idleTimeout, maxHead: head };
    const greeting = tls === null ? undefined : new ServerGreeting(clientTls(tls));
    upstream = new Upstream(this.#host.reactor, this.#dialer, limits, greeting);
    this.#made.set(key, upstream);
    return upstream;
  }
}

function stickyFor({ sticky }: OneProxy, state: string): Sticky {
  let key: Uint8Array | string | undefined = sticky.secret?.reveal();
  return new Sticky({
    cookie: sticky.cookie,
    key: () => (key ??= stickyKey(state)), // made when the first client needs it
    maxAge: sticky.max_age,
  });
}

async function addressesOf(name: string): Promise<readonly string[]> {
  return (await lookup(name, { all: true })).map(({ address }) => address);
}

/** The same for all workers of this proxy, unlike any other: whoever meets it in Via is going round in circles. */
function ownName({ listen }: OneProxy): string {
  const hash = hashText(`${hostname()} ${listen.map(showAddress).join(" ")}`);
  return `${NAME}-${hash.toString(16).padStart(8, "0")}`;
}
