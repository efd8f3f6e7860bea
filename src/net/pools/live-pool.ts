import type { Clock } from "../../core/clock.ts";
import { hashText } from "../../core/schedulers/hash.ts";
import { BY_HASH } from "../../core/schedulers/schedulers.ts";
import type { Log } from "../../observe/log.ts";
import type { Verdict } from "../health/health.ts";
import type { Tallies } from "../tally/tallies.ts";
import { Ejection } from "./ejection.ts";
import { Field } from "./field.ts";
import { type Home, Member, type Spec } from "./member.ts";
import type { PoolPlan } from "./plan.ts";
import type { Client, ConnectFailure, Pool, Retry, Server } from "./pool.ts";
import { Queue } from "./queue.ts";
import type { StickyShare } from "./sticky-share.ts";
import { StickyTable } from "./sticky-table.ts";

/** What pools are made with; the same for all of a process. */
export interface PoolParts {
  readonly clock: Clock;
  /** Milliseconds since 1970. */
  readonly wall: () => number;
  /** From 0 up to 1. */
  readonly dice: () => number;
  readonly log: Log;
  readonly share: StickyShare;
  readonly worker: { readonly index: number; readonly count: number };
  readonly tallies: Tallies;
  /** A server is out of the pool and its last connection is over. */
  readonly gone: (pool: LivePool, member: Member) => void;
}

const NOBODY: readonly Server[] = [];
const NO_RETRY: Retry = { attempts: 0, on: new Set() };

/** The servers under one name, now. It lives as long as the process; plans come and go. */
export class LivePool implements Pool, Home {
  readonly name: string;
  retry: Retry = NO_RETRY;

  readonly #parts: PoolParts;
  readonly #field: Field;
  readonly #queue: Queue;
  readonly #ejection: Ejection;
  readonly #sticky: StickyTable;
  #plan: PoolPlan | undefined;
  /** The scheduler looks at the client's hash. */
  #byHash = false;
  #byAddress = new Map<string, Member>();
  /** Not in the config any more; they finish what they have. */
  readonly #leaving = new Map<string, Member>();
  #stamp = 0;
  /** Those with a limit. */
  #limited: readonly Member[] = [];

  constructor(name: string, parts: PoolParts) {
    this.name = name;
    this.#parts = parts;
    this.#field = new Field(parts.dice, parts.worker.index);
    this.#ejection = new Ejection(name, parts, () => this.#refresh());
    this.#queue = new Queue({
      clock: parts.clock,
      tallies: parts.tallies,
      choose: (client) => this.#choose(client, NOBODY),
      room: () => this.#limited.some((member) => !member.full),
      sticky: () => this.#plan?.sticky === "ip",
    });
    this.#sticky = new StickyTable((client, server, expire) =>
      parts.share.tell(name, client, server, expire),
    );
  }

  /** Undefined while the config has no pool of this name. */
  get plan(): PoolPlan | undefined {
    return this.#plan;
  }
  get hashes(): "address" | "url" {
    return this.#plan?.scheduler === "urlhash" ? "url" : "address";
  }
  get sticky(): "off" | "ip" | "cookie" {
    return this.#plan?.sticky ?? "off";
  }
  /** In the order of the config. */
  get members(): readonly Member[] {
    return this.#field.members;
  }
  /** Those that were removed and still have connections. */
  get leaving(): readonly Member[] {
    return [...this.#leaving.values()];
  }
  get queued(): number {
    return this.#queue.length;
  }

  /**
   * Put a plan in force, or new answers to its names: the servers of `specs`, with what probes say
   * of them. Those that were there before stay the same objects.
   */
  apply(
    plan: PoolPlan | undefined,
    specs: readonly Spec[],
    verdicts: readonly (Verdict | undefined)[],
  ): void {
    const had = this.members;
    const late = this.#plan !== undefined && had.length > 0;
    this.#plan = plan;
    this.#byHash = plan !== undefined && BY_HASH.has(plan.scheduler);
    const now = specs.map((spec) => this.#memberFor(spec, late));
    this.#byAddress = new Map(now.map((member) => [member.spec.address, member]));
    for (const member of had) if (!this.#has(member)) this.#dismiss(member);
    this.#countTogether(now);
    this.#field.fill(now, plan?.scheduler ?? "roundrobin");
    if (plan === undefined || plan.sticky !== "ip") this.#sticky.clear();
    if (plan !== undefined) this.#sticky.resize(plan.stickyTable);
    const attempts = plan?.retry.attempts ?? 0;
    this.retry = {
      attempts: attempts === "all" ? Math.max(0, now.length - 1) : attempts,
      on: new Set(plan?.retry.on),
    };
    this.judge(verdicts);
  }

  /** What probes say now, in the order of the members; undefined of one that nobody looks at. */
  judge(verdicts: readonly (Verdict | undefined)[]): void {
    for (const [i, member] of this.members.entries()) {
      const verdict = verdicts[i];
      if (verdict?.state === "up" && member.verdict?.state === "down") member.streak = 0;
      member.verdict = verdict;
    }
    this.#refresh();
  }

  choose(client: Client, tried: readonly Server[] = NOBODY): Member | undefined | "full" {
    const chosen = this.#choose(client, tried);
    // Clients of other workers waited before this one came: a place is left for each of them.
    if (!(chosen instanceof Member) || !chosen.limited) return chosen;
    const before = this.#queue.elsewhere;
    return before === 0 || chosen.leaves(before) ? chosen : "full";
  }

  #choose(client: Client, tried: readonly Server[]): Member | undefined | "full" {
    for (const member of this.#limited) member.count(); // others may have taken places, or left some
    const { clock, share, worker } = this.#parts;
    const now = clock.now();
    if (this.#plan?.sticky !== "ip" || client.address === "")
      return this.#field.choose(this.#byHash ? client.hash : 0, tried, now, false);
    const { address } = client;
    const own = this.#sticky.find(address, now);
    const known = own ?? share.find(this.name, address);
    const kept = known === undefined ? undefined : this.#byAddress.get(known);
    if (kept !== undefined && kept.keeps && !tried.includes(kept)) {
      if (own === undefined) this.#sticky.put(address, kept.spec.address, now);
      return kept.full ? "full" : kept;
    }
    // Several workers that hear of a new client at once must not each send it elsewhere.
    const chosen = this.#field.choose(hashText(address), tried, now, worker.count > 1);
    if (chosen instanceof Member) this.#sticky.put(address, chosen.spec.address, now);
    return chosen;
  }

  keeper(is: (server: Server) => boolean): Member | undefined | "full" {
    const found = this.members.find((member) => member.keeps && is(member));
    return found?.full ? "full" : found;
  }

  /** Another process has sent this client to that server. */
  heard(client: string, server: string): void {
    if (this.#plan?.sticky === "ip") this.#sticky.learn(client, server, this.#parts.clock.now());
  }

  async queue(client: Client, signal: AbortSignal): Promise<Member | undefined> {
    const plan = this.#plan;
    if (plan === undefined || signal.aborted) return undefined;
    const chosen = this.choose(client);
    return chosen === "full" ? this.#queue.wait(client, plan.queue, signal) : chosen;
  }

  /** Forget that servers failed: all, or those that are this host. How many of them were out. */
  forgive(host?: string): number {
    return this.#ejection.forgive(this.members, host);
  }

  missed(member: Member, why: ConnectFailure, during: "connect" | "answer"): void {
    const plan = this.#plan;
    if (plan === undefined || !this.#has(member)) return;
    this.#ejection.missed(member, why, during, plan.eject);
  }

  answered(member: Member): void {
    this.#ejection.letIn(member);
  }

  freed(member: Member): void {
    this.#queue.freed();
    const { address } = member.spec;
    if (member.open > 0 || this.#leaving.get(address) !== member) return;
    this.#leaving.delete(address);
    this.#gone(member);
  }

  stamp(): number {
    return ++this.#stamp;
  }

  #memberFor(spec: Spec, late: boolean): Member {
    const { address } = spec;
    const known = this.#byAddress.get(address) ?? this.#leaving.get(address);
    this.#leaving.delete(address);
    if (known === undefined)
      return new Member(spec, this, { since: this.#parts.wall(), cold: late });
    known.spec = spec;
    return known;
  }

  #has(member: Member): boolean {
    return this.#byAddress.get(member.spec.address) === member;
  }

  #dismiss(member: Member): void {
    member.leave();
    if (member.open > 0) this.#leaving.set(member.spec.address, member);
    else this.#gone(member);
  }

  #gone(member: Member): void {
    member.countBy(undefined);
    this.#parts.gone(this, member);
  }

  /** Limits hold for all workers: from now on for these servers. */
  #countTogether(members: readonly Member[]): void {
    const { tallies } = this.#parts;
    for (const member of members) {
      const { limit, address } = member.spec;
      if (limit > 0 !== member.limited)
        member.countBy(limit > 0 ? tallies.count(`pool ${this.name} ${address}`) : undefined);
    }
    this.#limited = members.filter((member) => member.limited);
    if (this.#limited.length > 0) this.#queue.count(this.name);
  }

  #refresh(): void {
    this.#field.refresh(this.#parts.clock.now());
    this.#queue.serve();
  }
}
