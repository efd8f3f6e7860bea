import type { BalanceStats, Figures } from "../state/answers.ts";
import { balanceOf } from "../state/health.ts";

/** A group of a balance service: where its connections go when it is the enabled one. */
export interface Group {
  readonly name: string;
  /** "" when the server does not say. */
  readonly pool: string;
  readonly enabled: boolean;
}

/** "main=app,upgrade=app2", or just the names. */
export function groupsOf({ groups, enabled }: BalanceStats): Group[] {
  return groups
    .split(",")
    .map((text) => text.trim())
    .filter((text) => text !== "")
    .map((text) => {
      const [name = "", pool = ""] = text.split("=");
      return { name, pool, enabled: name === enabled };
    });
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
