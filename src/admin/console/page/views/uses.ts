import type { BalanceStats, Figures } from "../state/answers.ts";
import { balanceOf } from "../state/health.ts";

/** A group of a balance service: where its connections go when it is the enabled one. */
export interface Group {
  readonly name: string;
  /** "" when the server does not say. */
  readonly pool: string;
  readonly enabled: boolean;
}

/** "main,upgrade" and "main=app,upgrade=next": names have neither sign in them. */
export function groupsOf({ groups, pools = "", enabled }: BalanceStats): Group[] {
  const poolOf = new Map<string, string>();
  for (const [group = "", pool = ""] of pools.split(",").map((text) => text.split("=")))
    poolOf.set(group, pool);
  return groups
    .split(",")
    .filter((name) => name !== "")
    .map((name) => ({ name, pool: poolOf.get(name) ?? "", enabled: name === enabled }));
}

/** Which groups of which balance services go to a pool. */
export function usersOf(
  figures: Figures,
  pool: string,
): { readonly service: string; readonly group: string; readonly enabled: boolean }[] {
  return balanceOf(figures).flatMap(([service, stats]) =>
    groupsOf(stats)
      .filter((group) => group.pool === pool)
      .map((group) => ({ service, group: group.name, enabled: group.enabled })),
  );
}
