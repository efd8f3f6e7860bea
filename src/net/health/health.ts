import type { Target } from "./check.ts";

/** What is known of a target. Plain JSON. */
export interface Verdict {
  /** `unknown`: not yet judged. */
  readonly state: "up" | "down" | "unknown";
  /** When it became so: milliseconds of the wall clock. */
  readonly since: number;
  /** What the probe that decided ran into; "" when it passed. */
  readonly why: string;
}

/** A share in the watching of some targets. */
export interface Watched {
  /** In the order of the targets; always the newest. */
  readonly verdicts: readonly Verdict[];
  /** Probe all of them now, and again soon until none of them speaks against its verdict. */
  hurry(): void;
  close(): void;
}

/** Who is alive: asked by every service that chooses between servers. */
export interface Health {
  /**
   * Have targets probed, together with everybody else who watches the same. Resolves when all of
   * them are judged, or after `FIRST_VERDICTS_MS`: the rest is `unknown` then. `changed` is called
   * whenever `verdicts` are others than before, from then on. Rejects when a kind of check cannot
   * be done here.
   */
  watch(targets: readonly Target[], changed: () => void): Promise<Watched>;
}

/** How long a start or a reload waits for first verdicts. */
export const FIRST_VERDICTS_MS = 3000;

/** Where nothing is probed: everything stays unknown. */
export const noHealth: Health = {
  watch: async (targets) => ({
    verdicts: targets.map(() => ({ state: "unknown", since: 0, why: "" })),
    hurry() {},
    close() {},
  }),
};
