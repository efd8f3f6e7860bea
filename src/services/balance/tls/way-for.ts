import type { Pool } from "../../../net/pools/pool.ts";
import type { RelayWay } from "../../../net/tcp/relay-terms.ts";
import { sockmap } from "../../../net/tcp/sockmap.ts";
import type { ClientHello } from "../../../wire/tls/client-hello.ts";
import type { Host } from "../../service.ts";
import { enabledGroup, type ServiceConfig } from "../config.ts";
import type { Engine } from "../engine.ts";
import { PlainWay } from "../plain-way.ts";
import type { Way } from "../way.ts";
import type { TlsParts } from "./files.ts";
import { PassWay } from "./pass-way.ts";
import { routeOf } from "./routes.ts";
import { SecureWay } from "./secure-way.ts";

/** The way that clients of a service go. */
export function wayFor(
  config: ServiceConfig,
  tls: TlsParts,
  { relays, duplexes }: Engine,
  { pools, reactor, log }: Pick<Host, "pools" | "reactor" | "log">,
): Way {
  const { groups, idle_timeout: idle, total_timeout: total } = config;
  const enabled = enabledGroup(config);
  const pool = (hello: ClientHello | undefined): Pool => {
    const group = (hello && routeOf(hello, config)) ?? enabled;
    return pools.pool(groups[group]?.pool ?? "");
  };
  if (tls.clients !== undefined || tls.servers !== undefined) {
    const rules = { idle, total, connect: config.connect_timeout };
    return new SecureWay(tls, { relays: duplexes, reactor }, pool, rules);
  }
  const rules = { relay: relayOf(config, log), idle, total };
  return config.tls === "pass"
    ? new PassWay(relays, pool, rules)
    : new PlainWay(relays, () => pool(undefined), rules);
}

/** The relay that is wanted, or the one that can be had. */
function relayOf({ relay }: ServiceConfig, log: Host["log"]): RelayWay {
  const map = relay === "sockmap" ? sockmap() : undefined;
  if (typeof map !== "string") return relay;
  log.warn("relay: sockmap cannot be had, auto is used", { why: map });
  return "auto";
}
