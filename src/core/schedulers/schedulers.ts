import { LeastConns, LeastConnsLeastRecent } from "./least-conns.ts";
import { Maglev } from "./maglev.ts";
import { Random } from "./random.ts";
import { Rendezvous } from "./rendezvous.ts";
import { RoundRobin } from "./round-robin.ts";
import type { Scheduler } from "./slate.ts";
import { TwoChoices } from "./two-choices.ts";

/** Every way to choose, by the name it has in the config. */
export const SCHEDULERS = [
  "random",
  "roundrobin",
  "leastconns",
  "leastconnsrr",
  "iphash",
  "urlhash",
  "maglev",
  "p2c",
] as const;
export type SchedulerName = (typeof SCHEDULERS)[number];

/** Those that look at the client's hash; to all others it is nothing. */
export const BY_HASH: ReadonlySet<SchedulerName> = new Set(["iphash", "urlhash", "maglev"]);

/** A new one, that has chosen nobody yet. What `iphash` and `urlhash` hash is the client's matter. */
export function schedulerFor(name: SchedulerName): Scheduler {
  switch (name) {
    case "random":
      return new Random();
    case "roundrobin":
      return new RoundRobin();
    case "leastconns":
      return new LeastConns();
    case "leastconnsrr":
      return new LeastConnsLeastRecent();
    case "iphash":
    case "urlhash":
      return new Rendezvous();
    case "maglev":
      return new Maglev();
    case "p2c":
      return new TwoChoices();
  }
}
