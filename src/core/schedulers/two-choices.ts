import { byWeight } from "./random.ts";
import { type Dice, NONE, type Scheduler, type Slate } from "./slate.ts";

/**
 * The less loaded of two drawn by weight (Mitzenmacher, "The Power of Two Choices"): nearly as even
 * as looking at everybody, and many balancers that do not know of each other do not all rush to
 * the one that is idle.
 */
export class TwoChoices implements Scheduler {
  reset(): void {}

  choose(slate: Slate, _hash: number, dice: Dice): number {
    const { blocked, open, weights } = slate;
    const first = byWeight(slate, dice());
    if (first === NONE) return NONE;
    const was = blocked[first] as number;
    blocked[first] = 1; // two that are not the same
    const second = byWeight(slate, dice());
    blocked[first] = was;
    if (second === NONE) return first;
    const loadOf = (one: number): number => (open[one] as number) / (weights[one] as number);
    return loadOf(second) < loadOf(first) ? second : first;
  }
}
