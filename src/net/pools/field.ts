import { hashText } from "../../core/schedulers/hash.ts";
import { Rendezvous } from "../../core/schedulers/rendezvous.ts";
import { schedulerFor, type SchedulerName } from "../../core/schedulers/schedulers.ts";
import {
  type Dice,
  emptySlate,
  NONE,
  type Scheduler,
  type Slate,
} from "../../core/schedulers/slate.ts";
import { FULL, type Member, TRIED } from "./member.ts";
import type { Server } from "./pool.ts";

/** Weights of servers that warm up are set anew so often. */
const WARM_STEP_MS = 100;
/** A server that warms up begins with this part of its weight. */
const COLD = 0.05;

/** The members of a pool as its scheduler sees them: who is in question, and for how much. */
export class Field {
  /** In the order of the config. */
  members: readonly Member[] = [];
  readonly #dice: Dice;
  readonly #ahead: number;
  readonly #placing = new Rendezvous();
  #slate: Slate = emptySlate(0);
  #name: SchedulerName = "roundrobin";
  #scheduler: Scheduler = schedulerFor("roundrobin");
  /** No rotation has begun. */
  #begins = true;
  #warming = false;
  #weighedAt = -Infinity;

  /** `ahead`: rotations begin so many turns late. Workers that begin alike would all begin with the same server. */
  constructor(dice: Dice, ahead: number) {
    this.#dice = dice;
    this.#ahead = ahead;
  }

  /** Others are in it, or they are chosen in another way. `refresh` must follow. */
  fill(members: readonly Member[], scheduler: SchedulerName): void {
    const before = this.members;
    const moved =
      members.length !== before.length || members.some((member, i) => member !== before[i]);
    if (moved || scheduler !== this.#name) this.#scheduler = schedulerFor(scheduler);
    this.#name = scheduler;
    this.members = members;
    this.#slate = emptySlate(members.length);
    for (const [slot, member] of members.entries())
      member.move(this.#slate, slot, hashText(member.spec.address));
    this.#begins = moved;
  }

  /** Find out who may be chosen, after anything about anybody has changed. */
  refresh(now: number): void {
    const { members } = this;
    const primaries = members.filter((member) => member.fit && !member.spec.backup);
    const fit = primaries.length > 0 ? primaries : members.filter((member) => member.fit);
    // Nobody is left: whoever failed is tried again, by every client, until one answers.
    const tier = fit.length > 0 ? fit : members.filter((member) => member.wanted);
    const slate = this.#slate;
    for (const member of members) {
      const eligible = member.fit || (fit.length === 0 && member.wanted);
      if (eligible && member.cold) member.warmFrom = now;
      member.cold = !eligible && (member.cold || member.eligible);
      member.eligible = eligible;
      slate.shares[member.slot] = member.spec.weight;
    }
    slate.count = tier.length;
    for (const [i, { slot }] of tier.entries()) slate.candidates[i] = slot;
    this.#weigh(now);
    this.#scheduler.reset(slate);
    if (this.#begins && slate.count > 0) this.#skipAhead(slate);
  }

  /**
   * One that may be chosen, is not full and not `tried`. "full": there are some that are full.
   * `byHash`: the client's hash decides, whatever the scheduler is.
   */
  choose(
    hash: number,
    tried: readonly Server[],
    now: number,
    byHash: boolean,
  ): Member | undefined | "full" {
    const slate = this.#slate;
    if (this.#warming && now - this.#weighedAt >= WARM_STEP_MS) this.#weigh(now);
    if (tried.length > 0) this.#mark(tried);
    const scheduler = byHash ? this.#placing : this.#scheduler;
    const slot = scheduler.choose(slate, hash, this.#dice);
    const found = slot === NONE ? this.#otherwise() : this.members[slot];
    if (tried.length > 0) this.#unmark(tried);
    return found;
  }

  /** Somebody waits for a place, or has tried everybody in question: then backup is better than nothing. */
  #otherwise(): Member | undefined | "full" {
    const { blocked, candidates, count } = this.#slate;
    for (let i = 0; i < count; i++) if (blocked[candidates[i] as number] === FULL) return "full";
    let best: Member | undefined;
    for (const member of this.members)
      if (member.fit && blocked[member.slot] === 0 && (best?.open ?? Infinity) > member.open)
        best = member;
    return best;
  }

  #mark(tried: readonly Server[]): void {
    const { blocked } = this.#slate;
    for (const member of tried as readonly Member[])
      if (this.members[member.slot] === member)
        blocked[member.slot] = (blocked[member.slot] as number) | TRIED;
  }

  #unmark(tried: readonly Server[]): void {
    const { blocked } = this.#slate;
    for (const member of tried as readonly Member[])
      if (this.members[member.slot] === member)
        blocked[member.slot] = (blocked[member.slot] as number) & ~TRIED;
  }

  /** Those that came back a moment ago count for less. */
  #weigh(now: number): void {
    const { weights } = this.#slate;
    this.#warming = false;
    this.#weighedAt = now;
    for (const { slot, spec, warmFrom } of this.members) {
      const warmth = spec.slowStart === 0 ? 1 : (now - warmFrom) / spec.slowStart;
      if (warmth < 1) this.#warming = true;
      weights[slot] = spec.weight * Math.min(1, Math.max(COLD, warmth));
    }
  }

  #skipAhead(slate: Slate): void {
    this.#begins = false;
    for (let i = 0; i < this.#ahead % slate.count; i++)
      this.#scheduler.choose(slate, 0, this.#dice);
  }
}
