import { Turns } from "./round-robin.ts";
import { NONE, type Scheduler, type Slate } from "./slate.ts";

/** Fewest open connections for its weight; those with equally few in smooth turns. */
export class LeastConns implements Scheduler {
  readonly #turns = new Turns();

  reset(slate: Slate): void {
    this.#turns.reset(slate);
  }

  choose(slate: Slate): number {
    const { candidates, count, blocked, open, weights } = slate;
    const least = leastLoad(slate);
    for (let i = 0; i < count; i++) {
      const one = candidates[i] as number;
      if (blocked[one] === 0 && (open[one] as number) / (weights[one] as number) === least)
        this.#turns.enter(slate, one);
    }
    return this.#turns.take();
  }
}

/**
 * Fewest open connections for its weight; of those with equally few the one whose last connection
 * ended the longest time ago, one that never had any first. Traffic that comes one after another
 * goes round (pythondirector's leastconnsrr).
 */
export class LeastConnsLeastRecent implements Scheduler {
  reset(): void {}

  choose(slate: Slate): number {
    const { candidates, count, blocked, open, weights, left } = slate;
    const least = leastLoad(slate);
    let best = NONE;
    for (let i = 0; i < count; i++) {
      const one = candidates[i] as number;
      if (blocked[one] !== 0 || (open[one] as number) / (weights[one] as number) !== least)
        continue;
      if (best === NONE || (left[one] as number) < (left[best] as number)) best = one;
    }
    return best;
  }
}

function leastLoad({ candidates, count, blocked, open, weights }: Slate): number {
  let least = Infinity;
  for (let i = 0; i < count; i++) {
    const one = candidates[i] as number;
    if (blocked[one] !== 0) continue;
    const load = (open[one] as number) / (weights[one] as number);
    if (load < least) least = load;
  }
  return least;
}
