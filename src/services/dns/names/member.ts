import type { Verdict } from "../../../net/health/health.ts";
import type { MemberConfig } from "./member-word.ts";

/** What an operator has decided; it stands above what probes say. */
export type Manual = "up" | "down" | "drain";

const CHANGES_KEPT = 3;
/** So many changes within this time are flapping. */
const FLAPPING_MS = 5 * 60_000;

/** One record of a computed name, as it is now. */
export class Member {
  readonly config: MemberConfig;
  /** Known only where somebody looks. */
  verdict: Verdict | undefined;
  manual: Manual | undefined;
  /** The records of this name here, where it stands for them; undefined for a record of its own. */
  #standIns: readonly Member[] | undefined;
  /** Whom it stands in for. */
  #principal: Member | undefined;
  /** When it last changed, newest last; of the monotonic clock. */
  #changes: readonly number[] = [];

  constructor(config: MemberConfig) {
    this.config = config;
  }

  get alive(): boolean {
    if (this.#principal) return this.#principal.alive;
    if (this.manual !== undefined) return this.manual !== "down";
    return this.verdict?.state !== "down";
  }

  /** Gets no more clients, but serves those it has. */
  get drained(): boolean {
    return (this.#principal ?? this).manual === "drain" || this.config.weight === 0;
  }

  /** What is given for it: itself, or what it stands for. */
  get records(): readonly Member[] {
    return this.#standIns ?? [this];
  }

  /** From now on it stands for these. */
  standFor(records: readonly MemberConfig[]): void {
    this.#standIns = records.map((one) => {
      const made = new Member(one);
      made.#principal = this;
      return made;
    });
  }

  /** A newer verdict; true when it is another state than before. */
  judge(verdict: Verdict, now: number): boolean {
    const before = this.verdict;
    this.verdict = verdict;
    if (before === undefined || before.state === verdict.state) return false;
    if (before.state !== "unknown") this.#changes = [...this.#changes, now].slice(-CHANGES_KEPT);
    return true;
  }

  /** Until when it counts as flapping; 0 when it does not. */
  get flappingUntil(): number {
    const [first] = this.#changes;
    return first === undefined || this.#changes.length < CHANGES_KEPT ? 0 : first + FLAPPING_MS;
  }
}
