import type { Ran } from "../admin/run-action.ts";
import type { Snapshot } from "../net/tls/store.ts";
import type { MetricsSnapshot } from "../observe/metrics.ts";
import type { Config } from "./config-text.ts";
import type { Forms, Report } from "./messages.ts";

/** Where the services run: in this process (`solo.ts`), or in worker processes (`workers.ts`). */
export interface Crew {
  /** How many event loops serve. */
  readonly size: number;
  /** Everything of a config that can fail, everywhere. Rejects when anything did: nothing has changed. */
  prepare(config: Config, how: Renewal): Promise<Pending>;
  /** Everybody, as they are now; one that does not answer in time is shown as it was last seen. */
  members(): Promise<Member[]>;
  /** What processes other than this one count, and counted before they died. */
  metrics(): Promise<MetricsSnapshot[]>;
  /** How many of them serve now. */
  readonly serving: number;
  /** What the services can be asked; known after the first commit. */
  readonly actions: Forms;
  /** Run by everybody; the answers are merged. */
  act(service: string, action: string, input: unknown): Promise<Ran>;
  /** Resolves when everybody has them. */
  certificates(state: Snapshot): Promise<void>;
  reopen(): void;
  /** Finish what is in hand, within so many milliseconds. */
  stop(within: number): Promise<void>;
}

/** `reread`: files that sections name are read again, even where the section says what it said. */
export type Renewal = "reread" | "changed only";

/** A change that is ready everywhere: one of the two must be called. */
export interface Pending {
  /** Names of the services that this starts, replaces or stops. */
  readonly changed: readonly string[];
  /** Resolves when the new serves; the old finishes by itself. */
  commit(): Promise<void>;
  abandon(): Promise<void>;
}

/** One event loop, as `status` shows it. */
export interface Member {
  readonly index: number;
  readonly pid: number | undefined;
  readonly state: "starting" | "serving" | "down" | "stopping";
  /** How often it had to be started again. */
  readonly restarts: number;
  /** Why it last ended by itself. */
  readonly lastDeath: string | undefined;
  /** Undefined until it has said anything. */
  readonly report: Report | undefined;
}
