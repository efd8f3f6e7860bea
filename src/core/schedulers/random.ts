import { type Dice, NONE, type Scheduler, type Slate } from "./slate.ts";

/** Whoever the dice say, by weight. */
export class Random implements Scheduler {
  reset(): void {}

  choose(slate: Slate, _hash: number, dice: Dice): number {
    return byWeight(slate, dice());
  }
}

/** The candidate at `where` (from 0 up to 1) when those not blocked lie side by side, each as wide as its weight. */
export function byWeight({ candidates, count, weights, blocked }: Slate, where: number): number {
  let total = 0;
  for (let i = 0; i < count; i++) {
    const one = candidates[i] as number;
    if (blocked[one] === 0) total += weights[one] as number;
  }
  let left = where * total;
  let last = NONE;
  for (let i = 0; i < count; i++) {
    const one = candidates[i] as number;
    if (blocked[one] !== 0) continue;
    last = one;
    left -= weights[one] as number;
    if (left < 0) return one;
  }
  return last; // rounding
}
