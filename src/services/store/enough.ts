/** Not to wait for the last one when there are enough. */
import type { Clock } from "../../core/clock.ts";
import { STALL_MS } from "./members/member.ts";

/** How much longer than those who are enough the others may take. */
const TIMES = 4;
/** Sooner nobody is late. Milliseconds. */
const LEAST_MS = 250;

/**
 * Resolves when all of `tasks` have ended, or when `least` of them have done what they should (true) and the
 * others have been given several times as long as these have taken, `STALL_MS` at the most. None of them may reject.
 */
export async function enough(
  tasks: readonly Promise<boolean>[],
  least: number,
  clock: Clock,
): Promise<void> {
  const began = clock.now();
  const reached = Promise.withResolvers<void>();
  let done = 0;
  const all = Promise.all(
    tasks.map(async (task) => {
      if ((await task) && ++done === least) reached.resolve();
    }),
  );
  await Promise.race([all, reached.promise]);
  if (done < least || tasks.length === least) return;
  const took = clock.now() - began;
  const late = Promise.withResolvers<void>();
  const most = Math.min(STALL_MS, Math.max(LEAST_MS, TIMES * took));
  const cancel = clock.later(most, late.resolve);
  await Promise.race([all, late.promise]);
  cancel();
}
