import type { Rhythm } from "./check.ts";

/** `unknown` until the first probes have told; `streak` counts probes that speak against `state`. */
export interface Standing {
  readonly state: "up" | "down" | "unknown";
  readonly streak: number;
}

export const UNJUDGED: Standing = { state: "unknown", streak: 0 };

/**
 * What one more probe makes of a standing: it flips after `rise` good or `fall` bad in a row. One
 * good probe is enough for what was unknown: only doubts need more than one.
 */
export function judge(
  { state, streak }: Standing,
  passed: boolean,
  { rise, fall }: Pick<Rhythm, "rise" | "fall">,
): Standing {
  if (passed ? state === "up" : state === "down") return { state, streak: 0 };
  if (passed && state === "unknown") return { state: "up", streak: 0 };
  const enough = passed ? rise : fall;
  if (streak + 1 < enough) return { state, streak: streak + 1 };
  return { state: passed ? "up" : "down", streak: 0 };
}
