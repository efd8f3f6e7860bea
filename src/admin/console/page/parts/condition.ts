import type { IconName } from "./icon.tsx";

export type Tone = "good" | "bad" | "warn" | "quiet";

export interface Condition {
  readonly tone: Tone;
  readonly icon: IconName;
  readonly word: string;
}

/** How a server of a pool is: what somebody said about it goes before what probes found. */
export function condition({ state, set }: { state: string; set: string }): Condition {
  if (set === "down") return { tone: "quiet", icon: "off", word: "Taken down" };
  if (set === "drain") return { tone: "warn", icon: "drain", word: "Draining" };
  if (state === "up") return { tone: "good", icon: "up", word: "Up" };
  if (state === "down") return { tone: "bad", icon: "down", word: "Down" };
  if (state === "ejected") return { tone: "bad", icon: "warn", word: "Ejected" };
  return { tone: "quiet", icon: "unknown", word: "Unknown" };
}
