import { join } from "node:path";

import type { Host } from "../../service.ts";
import type { StoreConfig } from "../config.ts";
import type { Shelf } from "../shelf.ts";
import { Repair } from "./repair.ts";
import { StandingFile, type Standings } from "./standings.ts";

const BITS = 8;

/** Repair as a store's config wishes it; `directory` is the store's own. */
export async function openRepair(
  shelves: readonly Shelf[],
  config: StoreConfig,
  host: Pick<Host, "clock" | "log" | "worker">,
  directory: string,
  routers: (Standings & { readonly repairs: boolean }) | undefined,
): Promise<Repair> {
  const { scrub, longest_outage: outage, raw_paths: raw } = config;
  const repair = new Repair({
    shelves,
    clock: host.clock,
    log: host.log,
    directory: join(directory, "repair"),
    standings: routers ?? new StandingFile(directory, (ms) => wait(host, ms)),
    scrub: { interval: scrub.interval, rate: scrub.rate / BITS },
    outage,
    raw,
    works: () => host.worker.index === 0 && (routers?.repairs ?? true),
  });
  await repair.open();
  return repair;
}

async function wait({ clock }: Pick<Host, "clock">, ms: number): Promise<void> {
  await clock.sleep(ms, new AbortController().signal);
}
