import type { Registry } from "../observe/registry.ts";
import type { Supervisor } from "./supervisor.ts";
import { VERSION } from "./version.ts";

/** What only the supervisor knows, for /metrics. */
export function supervisorGauges(registry: Registry, supervisor: Supervisor): void {
  registry
    .gauge("tern_build_info", "Always 1; the labels say what runs.", {
      version: VERSION,
      bun: Bun.version,
    })
    .set(1);
  const workers = registry.gauge("tern_workers", "Event loops that serve.");
  const generation = registry.gauge("tern_config_generation", "Configs put in force so far.");
  const memory = registry.gauge("tern_memory_bytes", "Resident memory of a process.", {
    worker: "supervisor",
  });
  registry.onSnapshot(() => {
    workers.set(supervisor.crew.serving);
    generation.set(supervisor.generation);
    // Alone, this process is worker 0 and says so there.
    memory.set(supervisor.crew.size === 1 ? 0 : process.memoryUsage.rss());
  });
}
