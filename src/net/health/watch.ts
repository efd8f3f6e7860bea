import type { Clock } from "../../core/clock.ts";
import type { Rhythm } from "./check.ts";
import { judge, type Standing, UNJUDGED } from "./judge.ts";

/** What is still unknown is asked again so soon: a name should not wait an interval for its first verdict. */
const HURRY_MS = 200;
/** Each wait is the interval give or take a tenth, so that many targets do not stay in step. */
const JITTER = 0.1;

/** Undefined when it passed, else why not, in a few words. Ends by itself soon after `deadline`. */
export type Probe = (deadline: AbortSignal) => Promise<string | undefined>;

export interface Watcher {
  readonly clock: Clock;
  /** From 0 up to 1. */
  readonly dice: () => number;
  readonly signal: AbortSignal;
  readonly haste: Haste;
}

/** The rests between two probes, which somebody may not want to wait for. */
export class Haste {
  /** A probe is wanted at once. */
  #now = false;
  /** Until nothing is in doubt. */
  #on = false;
  #rest = new AbortController();

  /** Probe now, and go on soon while probes speak against the verdict. */
  hurry(): void {
    this.#now = true;
    this.#on = true;
    this.#rest.abort();
  }

  /** Resolves when it is time for the next probe, or the signal aborts. */
  async rest(wait: number, doubt: boolean, { clock, signal }: Watcher): Promise<void> {
    if (!this.#now) {
      if (!doubt) this.#on = false;
      this.#rest = new AbortController();
      const most = this.#on ? HURRY_MS : wait;
      const either = AbortSignal.any([signal, this.#rest.signal]);
      await clock.sleep(Math.min(wait, most), either).catch(() => {}); // aborted: the loop sees it
    }
    this.#now = false;
  }
}

/**
 * Probe until the signal aborts. `told` hears every verdict that is not the one before; `why` is
 * what the last probe ran into. Never rejects.
 */
export async function watch(
  probe: Probe,
  rhythm: Rhythm,
  told: (state: "up" | "down", why: string) => void,
  watcher: Watcher,
): Promise<void> {
  const { clock, dice, signal, haste } = watcher;
  let standing: Standing = UNJUDGED;
  while (!signal.aborted) {
    const why = await attempt(probe, clock.deadline(rhythm.timeout));
    if (signal.aborted) return;
    const next = judge(standing, why === undefined, rhythm);
    if (next.state !== standing.state && next.state !== "unknown") told(next.state, why ?? "");
    standing = next;
    const wait =
      standing.state === "unknown"
        ? Math.min(HURRY_MS, rhythm.interval)
        : rhythm.interval * (1 + JITTER * (2 * dice() - 1));
    await haste.rest(wait, standing.streak > 0, watcher);
  }
}

/** Whatever the probe does, the deadline holds. */
async function attempt(probe: Probe, deadline: AbortSignal): Promise<string | undefined> {
  const late = Promise.withResolvers<string>();
  deadline.addEventListener("abort", () => late.resolve("timeout"), { once: true });
  const tried = Promise.try(probe, deadline).catch((error: unknown) =>
    error instanceof Error ? error.message : String(error),
  );
  return Promise.race([tried, late.promise]);
}
