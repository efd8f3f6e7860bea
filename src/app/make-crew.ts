import { availableParallelism } from "node:os";

import type { RootConfig } from "../config/root.ts";
import { systemClock } from "../core/clock.ts";
import type { Health } from "../net/health/health.ts";
import type { LocalSockets } from "../net/local-sockets.ts";
import type { Tallies } from "../net/tally/tallies.ts";
import type { CertificateStore } from "../net/tls/store.ts";
import type { Journal } from "../observe/journal.ts";
import type { Registry } from "../observe/registry.ts";
import type { Config } from "./config-text.ts";
import type { Crew } from "./crew.ts";
import type { Logs } from "./logs.ts";
import { Solo } from "./solo.ts";
import type { StuckClients } from "./stuck-clients.ts";
import { Workers } from "./workers.ts";

/** What a crew is made from; it outlives the crew. */
export interface CrewParts {
  readonly logs: Logs;
  readonly journal: Journal;
  readonly registry: Registry;
  readonly sockets: LocalSockets;
  readonly store: CertificateStore;
  readonly health: Health;
  /** Where clients are. */
  readonly stuck: StuckClients;
  /** In which workers count together. */
  readonly memory: number | undefined;
  /** What this process counts there itself, when it is the only one. */
  readonly tallies: () => Tallies;
}

/** How many event loops a config asks for. */
export function crewSize({ workers }: Pick<RootConfig, "workers">): number {
  return workers === "auto" ? availableParallelism() : workers;
}

/** Event loops for a config: this one, or processes of their own. Nothing is served yet. */
export async function makeCrew(config: Config, parts: CrewParts): Promise<Crew> {
  const { logs, journal, registry, sockets, store, health, stuck, memory } = parts;
  const size = crewSize(config.root);
  const { state } = config.root;
  const { log } = logs;
  if (size === 1)
    return new Solo({
      log,
      logs,
      registry,
      sockets,
      certificates: store,
      health,
      stuck,
      tallies: parts.tallies(),
      state,
    });
  return Workers.begin(size, config, {
    clock: systemClock,
    log,
    journal,
    sockets,
    certificates: store,
    health,
    stuck,
    memory,
  });
}
