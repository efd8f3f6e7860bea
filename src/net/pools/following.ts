import type { Log } from "../../observe/log.ts";
import type { Health, Verdict, Watched } from "../health/health.ts";
import type { LivePool } from "./live-pool.ts";
import type { Spec } from "./member.ts";
import type { Names, NamesShare } from "./names.ts";
import type { PoolPlan } from "./plan.ts";
import { placesOf, specsOf, targetsOf } from "./specs.ts";

export interface FollowingParts {
  readonly health: Health;
  readonly names: Names;
  readonly log: Log;
  /** A verdict got here that is so old: when it became so, by the wall clock. */
  readonly heard: (since: number) => void;
}

/** The servers there are under one plan, and who of them is alive, told to a pool as it changes. */
export class Following {
  readonly plan: PoolPlan;
  readonly #parts: FollowingParts;
  #names: NamesShare = { of: () => ({ endpoints: [], why: "" }), close() {} };
  #specs: readonly Spec[] = [];
  #watched: Watched | undefined;
  #pool: LivePool | undefined;
  #closed = false;
  #updating = false;
  #again = false;

  private constructor(plan: PoolPlan, parts: FollowingParts) {
    this.plan = plan;
    this.#parts = parts;
  }

  /** Names are looked up, servers probed for the first time. Rejects when a kind of check cannot be done. */
  static async begin(plan: PoolPlan, parts: FollowingParts): Promise<Following> {
    const made = new Following(plan, parts);
    made.#names = await parts.names.follow(placesOf(plan), () => made.#namesChanged());
    try {
      await made.#look();
      return made;
    } catch (failed) {
      made.close();
      throw failed;
    }
  }

  /** Hosts whose names stand for nothing yet, and why. */
  get unknown(): { label: string; why: string }[] {
    return this.plan.hosts.flatMap(({ label, place }) => {
      if (place.kind === "address") return [];
      const { endpoints, why } = this.#names.of(place);
      return endpoints.length === 0 ? [{ label, why }] : [];
    });
  }

  /** Probe everybody now, and again soon for those of whom there is doubt. */
  hurry(): void {
    this.#watched?.hurry();
  }

  /** From now on the pool is as this says. */
  serve(pool: LivePool): void {
    this.#pool = pool;
    pool.apply(this.plan, this.#specs, this.#verdicts);
  }

  /** Nobody is looked up or probed for it any more. */
  get closed(): boolean {
    return this.#closed;
  }

  close(): void {
    this.#closed = true;
    this.#names.close();
    this.#watched?.close();
  }

  get #verdicts(): readonly (Verdict | undefined)[] {
    return this.#watched?.verdicts ?? [];
  }

  /** Servers as the names stand now; over when each of them was judged, or that takes too long. */
  async #look(): Promise<void> {
    const { health } = this.#parts;
    const specs = specsOf(this.plan, this.#names);
    const targets = targetsOf(this.plan, specs);
    const before = this.#watched;
    const watched =
      targets.length === 0 ? undefined : await health.watch(targets, () => this.#judged(watched));
    if (this.#closed) return watched?.close();
    this.#specs = specs;
    this.#watched = watched;
    before?.close();
    this.#pool?.apply(this.plan, specs, this.#verdicts);
  }

  #judged(watched: Watched | undefined): void {
    if (watched !== this.#watched || this.#pool === undefined) return;
    const { members } = this.#pool;
    const verdicts = this.#verdicts;
    for (const [i, verdict] of verdicts.entries())
      if (verdict !== undefined && verdict.state !== members[i]?.verdict?.state)
        this.#parts.heard(verdict.since);
    this.#pool.judge(verdicts);
  }

  #namesChanged(): void {
    this.#again = true;
    if (!this.#updating) void this.#update();
  }

  /** One look at a time: what changes meanwhile is seen by the next. */
  async #update(): Promise<void> {
    this.#updating = true;
    while (this.#again && !this.#closed) {
      this.#again = false;
      try {
        await this.#look();
      } catch (error) {
        this.#parts.log.error("servers of new addresses cannot be watched", {
          pool: this.plan.name,
          error,
        });
      }
    }
    this.#updating = false;
  }
}
