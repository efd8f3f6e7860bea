/** A pool for schedulers to choose from, and dice that can be thrown again. */
import { hashText } from "../../../src/core/schedulers/hash.ts";
import {
  type Dice,
  emptySlate,
  NONE,
  type Scheduler,
  type Slate,
} from "../../../src/core/schedulers/slate.ts";

/** All are candidates; the key of each is by its name, wherever it stands. */
export function slateOf(
  weights: readonly number[],
  names: readonly string[] = weights.map((_, i) => `10.0.0.${i}:80`),
): Slate {
  const slate = emptySlate(weights.length);
  for (const [i, weight] of weights.entries()) {
    slate.candidates[i] = i;
    slate.shares[i] = weight;
    slate.weights[i] = weight;
    slate.keys[i] = hashText(names[i] ?? "");
  }
  slate.count = weights.length;
  return slate;
}

/** mulberry32: the same seed throws the same. */
export function dice(seed: number): Dice {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), seed | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** How often each was chosen by so many clients. */
export function tally(
  scheduler: Scheduler,
  slate: Slate,
  times: number,
  throws = dice(7),
): number[] {
  const counts = Array.from(slate.shares, () => 0);
  for (let i = 0; i < times; i++) {
    const one = scheduler.choose(slate, hashText(`client ${i}`), throws);
    if (one === NONE) continue;
    counts[one] = (counts[one] ?? 0) + 1;
  }
  return counts;
}
