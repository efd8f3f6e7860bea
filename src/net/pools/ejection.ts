import type { Clock } from "../../core/clock.ts";
import type { Log } from "../../observe/log.ts";
import type { Member, Spec } from "./member.ts";
import type { PoolPlan } from "./plan.ts";
import type { ConnectFailure } from "./pool.ts";

/** What the failures of a pool's servers are judged with. */
export interface EjectionParts {
  readonly clock: Clock;
  /** Milliseconds since 1970. */
  readonly wall: () => number;
  readonly log: Log;
}

/** Takes servers out of a pool that cannot be reached, for a while. */
export class Ejection {
  readonly #pool: string;
  readonly #parts: EjectionParts;
  readonly #changed: () => void;
  readonly #never = new AbortController().signal;

  /** `pool` is its name. `changed`: somebody is out, or in again. */
  constructor(pool: string, parts: EjectionParts, changed: () => void) {
    this.#pool = pool;
    this.#parts = parts;
    this.#changed = changed;
  }

  /** It could not be reached, or did not answer; who fails so often in a row is out. */
  missed(
    member: Member,
    why: ConnectFailure,
    during: "connect" | "answer",
    rules: PoolPlan["eject"],
  ): void {
    // One page that is slow or breaks its server must not take it from all others: whoever knows
    // that page could. Several in a row, without an answer in between, are another thing.
    if (during === "answer" && rules.errors === 1) return;
    // A cause that nobody knows may be ours (no descriptors, no ports): it speaks against no server.
    if (why === "error") return;
    member.streak++;
    if (member.streak < rules.errors) return;
    const { clock, wall, log } = this.#parts;
    const until = clock.now() + rules.for;
    if (member.out !== undefined) {
      member.out.until = until;
      return;
    }
    member.out = { until, since: wall(), why };
    member.ejections++;
    const { name } = member;
    log.warn("a server is taken out", { pool: this.#pool, server: name, why, ms: rules.for });
    void this.#comeBack(member, member.out);
    this.#changed();
  }

  /** It answers, or has been out for long enough. */
  letIn(member: Member): void {
    member.out = undefined;
    this.#parts.log.info("a server is let in again", { pool: this.#pool, server: member.name });
    this.#changed();
  }

  /** Forget that servers failed: all of these, or those that are this host. How many of them were out. */
  forgive(members: readonly Member[], host?: string): number {
    let forgiven = 0;
    for (const member of members) {
      if (host !== undefined && !isCalled(member.spec, host)) continue;
      member.streak = 0;
      if (member.out === undefined) continue;
      member.out = undefined;
      forgiven++;
    }
    if (forgiven > 0) this.#changed();
    return forgiven;
  }

  async #comeBack(member: Member, out: NonNullable<Member["out"]>): Promise<void> {
    const { clock } = this.#parts;
    while (member.out === out && clock.now() < out.until)
      await clock.sleep(out.until - clock.now(), this.#never);
    if (member.out === out) this.letIn(member);
  }
}

/** Is this host of the config, or this server, meant? */
function isCalled({ name, label, address }: Spec, host: string): boolean {
  return host === name || host === label || host === address;
}
