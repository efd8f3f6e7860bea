/** Reverse proxies: the only file here that attaches to listeners. */
import { closest } from "../../core/suggest.ts";
import type { Attachment, Site } from "../../net/http-fronts.ts";
import { Dialer } from "../../net/tcp/dialer.ts";
import { withChallenges } from "../../net/tls/http-challenge.ts";
import { Upstream } from "../../net/upstream/upstream.ts";
import type { Complaint, Host, Instance, Service } from "../service.ts";
import { type OpenCache, openCache } from "./cache/open.ts";
import { type OneProxy, type ProxyConfig, proxySchema } from "./config.ts";
import { Routes } from "./routes.ts";
import { ProxySite } from "./site.ts";

/** HTTP to the servers of pools. */
export const proxy: Service<ProxyConfig> = {
  name: "proxy",
  about: "HTTP to the servers of pools, by host and path",
  schema: proxySchema,
  check: unknownPools,
  prepare,
};

interface Running {
  readonly name: string;
  readonly site: ProxySite;
  readonly upstream: Upstream;
  readonly cache: OpenCache | undefined;
  attachment: Attachment | undefined;
}

async function prepare(config: ProxyConfig, host: Host): Promise<Instance> {
  const running: Running[] = [];
  try {
    for (const [name, one] of Object.entries(config)) {
      const made = make(name, one, host);
      running.push(made);
      made.attachment = await host.http.attach(siteFor(made, host));
    }
  } catch (failed) {
    await stop(running, AbortSignal.abort());
    throw failed;
  }
  return {
    start() {
      for (const { attachment } of running) attachment?.open();
    },
    stats: () => Object.fromEntries(running.map((one) => [one.name, statsOf(one)])),
    stop: (deadline) => stop(running, deadline),
  };
}

function make(name: string, config: OneProxy, host: Host): Running {
  const dialer = new Dialer(host.reactor);
  const { upstream } = config;
  const connections = new Upstream(host.reactor, dialer, {
    connectTimeout: upstream.connect_timeout,
    maxIdle: upstream.idle,
    idleTimeout: upstream.idle_timeout,
    maxHead: upstream.head,
  });
  const cache = openCache(config, host.clock);
  const site = new ProxySite(config, {
    pools: host.pools,
    cache: cache?.cache,
    upstream: connections,
    log: host.log.with({ proxy: name }),
    now: () => host.clock.now(),
  });
  return { name, site, upstream: connections, cache, attachment: undefined };
}

function siteFor({ name, site, cache }: Running, { certificates }: Host): Site {
  const { config } = site;
  const { limits } = config;
  return {
    name: `proxy.${name}`,
    listen: config.listen,
    socket: config.socket,
    hosts: Routes.hosts(config.routes),
    tls: config.tls,
    http2: config.http2,
    http3: config.http3,
    pipelining: true,
    endIsLeaving: true,
    handler: withChallenges((request) => site.handle(request), certificates),
    ...(cache?.quick && { quick: cache.quick }),
    limits: {
      maxHead: limits.head,
      maxBody: config.max_body,
      headTimeout: limits.head_timeout,
      bodyTimeout: limits.body_timeout,
      keepAlive: limits.keep_alive,
    },
  };
}

async function stop(running: readonly Running[], deadline: AbortSignal): Promise<void> {
  await Promise.all(running.map(async ({ attachment }) => attachment?.close(deadline)));
  for (const { upstream } of running) upstream.close();
}

/** Summed over the workers. */
function statsOf({ site, upstream, cache }: Running): Record<string, unknown> {
  const { forwarded, failed, refused } = site;
  return {
    forwarded,
    failed,
    refused,
    upstream_open: upstream.open,
    upstream_idle: upstream.idle,
    ...(cache && { cache: cache.stats() }),
  };
}

function unknownPools(
  config: ProxyConfig,
  sections: Readonly<Record<string, unknown>>,
): readonly Complaint[] {
  const names = Object.keys((sections["pools"] as object | undefined) ?? {});
  return Object.entries(config).flatMap(([name, { routes }]) =>
    routes.flatMap(({ pool }, i) => {
      if (pool === undefined || names.includes(pool)) return [];
      const meant = closest(pool, names);
      const hint = meant === undefined ? "" : `; did you mean "${meant}"?`;
      const path = ["proxy", name, "routes", i, "pool"];
      return [{ path, message: `there is no pool "${pool}"${hint}` }];
    }),
  );
}
