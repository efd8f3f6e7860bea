/** Routes of tunnels of which nothing is known yet, in tenths of milliseconds: as if they were that far. */
const UNKNOWN = 1000;
/** Farther than that is all the same: a minute and a half. */
const FARTHEST = 1_000_000;
/** Tunnels of one config whose routes must not have the same metric. */
const PLACES = 64;
/** Added for a tunnel whose peer is gone: any living one is better, but nothing goes elsewhere. */
const DEAD = 2 ** 30;

/**
 * The metric of a tunnel's routes, of which the kernel takes the lowest: by `score`, milliseconds (NaN:
 * not known), or `fixed` by the operator. `place`: where it stands in the config.
 */
export function priority(
  score: number,
  { fixed, place, alive }: { fixed: number | undefined; place: number; alive: boolean },
): number {
  const tenths = Number.isNaN(score) ? UNKNOWN : Math.min(FARTHEST, Math.round(score * 10));
  const metric = fixed ?? 1 + tenths * PLACES + (place % PLACES);
  return alive ? metric : Math.min(metric, DEAD - 1) + DEAD;
}
