import { enabledGroup, type ServiceConfig } from "./config.ts";
import type { Counted, Sessions } from "./sessions.ts";
import type { Carrier } from "./way.ts";

/** What the console shows of a service. Numbers are added over the workers; of texts the first stands. */
export function statsOf(
  service: {
    readonly config: ServiceConfig;
    readonly sessions: Sessions<Counted>;
    readonly listeners: readonly string[];
  },
  relay: Readonly<Record<Carrier, number>>,
): Record<string, unknown> {
  const { sessions, config, listeners } = service;
  return {
    listen: listeners.join(","),
    enabled: enabledGroup(config),
    groups: Object.keys(config.groups).join(","),
    pools: Object.entries(config.groups)
      .map(([group, { pool }]) => `${group}=${pool}`)
      .join(","),
    tls: config.tls,
    open: sessions.open.size,
    accepted: sessions.count("accepted"),
    refused: sessions.count("refused"),
    rejected_by_access: sessions.count("denied"),
    failed: sessions.count("unserved"),
    failed_tls: sessions.count("tls"),
    up_bytes: sessions.count("up"),
    down_bytes: sessions.count("down"),
    relay,
  };
}
