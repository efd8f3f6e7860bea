import { needed, type Quorum } from "../../core/quorum.ts";
import type { Vote } from "../../wire/cluster/ballot.ts";
import type { Verdict } from "../health/health.ts";

/** What several nodes together make of a target; a `Verdict` but for when it became so. */
export type Tally = Pick<Verdict, "state" | "why">;

/**
 * Count votes on one target. Undefined when no other node has one: then one's own view stands. It
 * is down when at least a quorum sees it down, and up otherwise: in doubt a server stays.
 */
export function tally(
  own: Pick<Verdict, "state" | "why">,
  others: readonly Vote[],
  quorum: Quorum,
): Tally | undefined {
  if (others.length === 0) return undefined;
  const voters = others.length + (own.state === "unknown" ? 0 : 1);
  const against = others.filter(({ state }) => state === "down");
  const down = against.length + (own.state === "down" ? 1 : 0);
  if (down === 0) return { state: "up", why: "" };
  const reason = own.state === "down" ? own.why : (against[0]?.why ?? "");
  const why = `${down} of ${voters} nodes${reason === "" ? "" : `: ${reason}`}`;
  return { state: down >= needed(quorum, voters) ? "down" : "up", why };
}
