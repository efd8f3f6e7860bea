import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

import { systemClock } from "../../../../src/core/clock.ts";
import { silent } from "../../../../src/observe/log.ts";
import type { Job, Wish } from "../../../../src/services/store/repair/job.ts";
import { Repair } from "../../../../src/services/store/repair/repair.ts";
import {
  emitBook,
  type StandingBook,
  type Standings,
} from "../../../../src/services/store/repair/standings.ts";
import type { Rig } from "../rig.ts";

/** As if all processes had read it at once. */
export class StandingsInMemory implements Standings {
  #book: StandingBook = {};
  #read = emitBook({});

  async read(): Promise<StandingBook | undefined> {
    const now = emitBook(this.#book);
    if (now === this.#read) return undefined;
    this.#read = now;
    return this.#book;
  }

  async write(book: StandingBook): Promise<void> {
    this.#book = book;
  }
}

export const DAY_MS = 86_400_000;
export const OUTAGE_MS = 30 * DAY_MS;

/** Who repairs the copies of a rig. */
export function repairOf(rig: Rig, standings: Standings = new StandingsInMemory()): Repair {
  return new Repair({
    shelves: [rig.shelf],
    clock: systemClock,
    log: silent,
    directory: join(rig.dir, "repair"),
    standings,
    scrub: { interval: OUTAGE_MS, rate: Infinity },
    outage: OUTAGE_MS,
    raw: false,
    works: () => true,
  });
}

/** Have a job done, from its beginning to its end. */
export async function done(repair: Repair, wish: Partial<Wish> & Pick<Wish, "kind">): Promise<Job> {
  await repair.begin({ dryRun: false, ...wish });
  for (;;) {
    const { job } = repair;
    if (job !== undefined && job.state !== "running") return job;
    await Bun.sleep(5);
  }
}

/** Every file of a member's tree, by path from its root. */
export function files(root: string): Record<string, string> {
  const found: Record<string, string> = {};
  if (!existsSync(root)) return found;
  for (const name of readdirSync(root, { recursive: true }) as string[]) {
    const path = join(root, name);
    if (statSync(path).isFile()) found[name] = readFileSync(path).toString("latin1");
  }
  return found;
}
