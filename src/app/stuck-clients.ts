import type { Clock } from "../core/clock.ts";
import type { Stuck } from "../wire/cluster/sticky-news.ts";

/** Beyond it those told of longest ago are forgotten. */
const MOST = 100_000;

interface Known {
  readonly stuck: Stuck;
  readonly until: number;
}

/**
 * Which clients are with which servers, as all event loops of this appliance have told: for those
 * that begin later, a worker after a crash or the process that replaces this one.
 */
export class StuckClients {
  readonly #clock: Pick<Clock, "now">;
  /** Those told of last are last. */
  readonly #known = new Map<string, Known>();

  constructor(clock: Pick<Clock, "now">, before: readonly Stuck[] = []) {
    this.#clock = clock;
    this.hear(before);
  }

  hear(news: readonly Stuck[]): void {
    const now = this.#clock.now();
    for (const stuck of news) {
      const key = `${stuck.pool}\n${stuck.client}`;
      this.#known.delete(key);
      this.#known.set(key, { stuck, until: now + stuck.expire });
    }
    for (const key of this.#known.keys()) {
      if (this.#known.size <= MOST) return;
      this.#known.delete(key);
    }
  }

  /** Who is not forgotten yet; those told of last are last. */
  get all(): Stuck[] {
    const now = this.#clock.now();
    for (const [key, { until }] of this.#known) if (until <= now) this.#known.delete(key);
    return Array.from(this.#known.values(), ({ stuck }) => stuck);
  }
}
