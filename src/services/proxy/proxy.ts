/** Reverse proxies: the only file here that attaches to listeners. */
import { closest } from "../../core/suggest.ts";
import { type Attachment, limitsOf, type Site } from "../../net/http-fronts.ts";
import { httpListens } from "../../net/listen.ts";
import { withChallenges } from "../../net/tls/http-challenge.ts";
import type { Upstream } from "../../net/upstream/upstream.ts";
import type { Complaint, Host, Instance, Service } from "../service.ts";
import { actionsOf } from "./cache/actions.ts";
import { type OpenCache, openCache } from "./cache/open.ts";
import { type OneProxy, type ProxyConfig, proxySchema, type RouteConfig } from "./config.ts";
import { passagesOf } from "./make-passages.ts";
import type { RouteMeters } from "./route-meters.ts";
import { Routes } from "./routes.ts";
import { ProxySite } from "./site.ts";

/** HTTP to the servers of pools. */
export const proxy: Service<ProxyConfig> = {
  name: "proxy",
  about: "HTTP to the servers of pools, by host and path",
  levels: [
    "upstream_open",
    "upstream_idle",
    "cache.entries",
    "cache.memory_bytes",
    "cache.bans",
    "cache.disk_entries",
    "cache.disk_bytes",
    "cache.disk_heads",
    "cache.disk_open",
  ],
  schema: proxySchema,
  check: unknownPools,
  advises: forwardsNothing,
  prepare,
  listens: (config) => httpListens("proxy", config),
};

interface Running {
  readonly name: string;
  readonly site: ProxySite;
  readonly upstreams: readonly Upstream[];
  readonly cache: OpenCache | undefined;
  attachment: Attachment | undefined;
}

/** Nobody is named who may be asked for: then nobody is. */
function forwardsNothing(config: ProxyConfig): Complaint[] {
  return Object.entries(config).flatMap(([name, { routes }]) =>
    routes.flatMap(({ forward }, i): Complaint[] => {
      if (forward === undefined || forward.allow.length > 0) return [];
      const path = ["proxy", name, "routes", i, "forward"];
      return [{ path, message: "`allow` names no hosts, so nothing is forwarded" }];
    }),
  );
}

async function prepare(config: ProxyConfig, host: Host): Promise<Instance> {
  const running: Running[] = [];
  try {
    for (const [name, one] of Object.entries(config)) {
      const made = await make(name, one, host);
      running.push(made);
      made.attachment = await host.http.attach(siteFor(made, host));
    }
  } catch (failed) {
    await stop(running, AbortSignal.abort());
    throw failed;
  }
  const caches = new Map(
    running.flatMap(({ name, cache }): [string, OpenCache][] => (cache ? [[name, cache]] : [])),
  );
  return {
    start() {
      for (const { attachment } of running) attachment?.open();
    },
    stats: () => Object.fromEntries(running.map((one) => [one.name, statsOf(one)])),
    stop: (deadline) => stop(running, deadline),
    ...(caches.size > 0 && { actions: actionsOf(caches) }),
  };
}

async function make(name: string, config: OneProxy, host: Host): Promise<Running> {
  const cache = await openCache(name, config, host);
  const { passages, upstreams } = passagesOf(name, config, cache?.cache, host);
  const { clock, nodes } = host;
  const site = new ProxySite(
    config,
    passages,
    { name, clock, nodes },
    host.log.with({ proxy: name }),
  );
  return { name, site, upstreams, cache, attachment: undefined };
}

function siteFor({ name, site, cache }: Running, { certificates }: Host): Site {
  const { config } = site;
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
    pathsForOthers: true,
    handler: withChallenges((request) => site.handle(request), certificates),
    ...(cache?.quick && { quick: cache.quick }),
    limits: limitsOf(config.limits, config.max_body),
  };
}

async function stop(running: readonly Running[], deadline: AbortSignal): Promise<void> {
  await Promise.all(running.map(async ({ attachment }) => attachment?.close(deadline)));
  for (const { site } of running) site.close();
  for (const { upstreams } of running) for (const upstream of upstreams) upstream.close();
  for (const { cache } of running) await cache?.close();
}

/** Summed over the workers. */
function statsOf({ site, upstreams, cache }: Running): Record<string, unknown> {
  const total = (of: (meters: RouteMeters) => number): number =>
    site.passages.reduce((sum, { meters }) => sum + of(meters), 0);
  return {
    forwarded: total((one) => one.forwarded),
    failed: total((one) => one.failed),
    retried: total((one) => one.retried),
    refused: site.refused,
    upstream_open: upstreams.reduce((sum, { open }) => sum + open, 0),
    upstream_idle: upstreams.reduce((sum, { idle }) => sum + idle, 0),
    ...(cache && { cache: cache.stats() }),
  };
}

function unknownPools(
  config: ProxyConfig,
  sections: Readonly<Record<string, unknown>>,
): readonly Complaint[] {
  const names = Object.keys((sections["pools"] as object | undefined) ?? {});
  return Object.entries(config).flatMap(([name, { routes }]) =>
    routes.flatMap((route, i) =>
      poolsOf(route).flatMap(([where, pool]) => {
        if (names.includes(pool)) return [];
        const meant = closest(pool, names);
        const hint = meant === undefined ? "" : `; did you mean "${meant}"?`;
        const path = ["proxy", name, "routes", i, ...where];
        return [{ path, message: `there is no pool "${pool}"${hint}` }];
      }),
    ),
  );
}

/** Every pool a route names, and where. */
function poolsOf({ pool, split, auth }: RouteConfig): [where: (string | number)[], pool: string][] {
  return [
    ...(pool === undefined ? [] : [[["pool"], pool] as [string[], string]]),
    ...(split ?? []).map((share, i): [(string | number)[], string] => [
      ["split", i, "pool"],
      share.pool,
    ]),
    ...(auth !== undefined && "forward" in auth
      ? [[["auth", "forward", "pool"], auth.forward.pool] as [string[], string]]
      : []),
  ];
}
