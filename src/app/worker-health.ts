import type { Target } from "../net/health/check.ts";
import type { Health, Verdict, Watched } from "../net/health/health.ts";

/** After news there is this much time until the next: what falls together is told together. */
const GAP_MS = 20;

/** All verdicts of one list of targets. `version` grows: what is older than what is known is dropped. */
export interface Verdicts {
  readonly ticket: number;
  readonly version: number;
  readonly verdicts: readonly Verdict[];
}

/** The supervisor's side of what one worker process has watched. */
export class WorkerHealth {
  readonly #health: Health;
  readonly #tell: (news: Verdicts) => void;
  readonly #watched = new Map<number, Watched>();
  #released = false;

  /** `tell` sends the whole list whenever anything in it has changed; it must not throw. */
  constructor(health: Health, tell: (news: Verdicts) => void) {
    this.#health = health;
    this.#tell = tell;
  }

  /** Rejects as `Health.watch` does. The ticket is the worker's choice. */
  async watch({
    ticket,
    targets,
  }: {
    ticket: number;
    targets: readonly Target[];
  }): Promise<Verdicts> {
    let version = 0;
    let quiet = false;
    let late = false;
    const news = (): Verdicts => ({ ticket, version, verdicts: watched.verdicts });
    const changed = (): void => {
      if (quiet) {
        late = true;
        return;
      }
      if (!this.#watched.has(ticket)) return;
      quiet = true;
      version++;
      this.#tell(news());
      setTimeout(() => {
        quiet = false;
        if (!late) return;
        late = false;
        changed();
      }, GAP_MS);
    };
    const watched = await this.#health.watch(targets, changed);
    if (this.#released)
      watched.close(); // the worker died while we were at it
    else this.#watched.set(ticket, watched);
    return news();
  }

  hurry(ticket: number): void {
    this.#watched.get(ticket)?.hurry();
  }

  unwatch(ticket: number): void {
    this.#watched.get(ticket)?.close();
    this.#watched.delete(ticket);
  }

  /** Give back everything: when the worker is gone and another one watches the same. */
  async release(): Promise<void> {
    this.#released = true;
    for (const ticket of this.#watched.keys()) this.unwatch(ticket);
  }
}
