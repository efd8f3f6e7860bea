import { emptySlate, type Slate } from "../../core/schedulers/slate.ts";
import type { Verdict } from "../health/health.ts";
import type { Count } from "../tally/count.ts";
import type { AdminState } from "./plan.ts";
import type { ConnectFailure, Server } from "./pool.ts";

/** One server as the config in force, and the names it uses, have it. */
export interface Spec {
  /** `10.0.0.1:80`: what it is known by. */
  readonly address: string;
  readonly name: string;
  /** The host of the config it comes from: its name, or the name that was looked up. */
  readonly label: string;
  readonly host: string;
  readonly port: number;
  readonly weight: number;
  readonly backup: boolean;
  readonly slowStart: number;
  /** Of all workers together; 0: as many as come. */
  readonly limit: number;
  readonly state: AdminState;
}

/** Who wants to know what becomes of a server's connections. */
export interface Home {
  /** It could not be reached. */
  missed(member: Member, why: ConnectFailure, during: "connect" | "answer"): void;
  /** It answered, though it was out. */
  answered(member: Member): void;
  /** One connection less is with it. */
  freed(member: Member): void;
  /** Numbers that grow: when a connection ended. */
  stamp(): number;
}

/** Bits of `Slate.blocked`. */
export const TRIED = 1;
export const FULL = 2;

const NOWHERE = emptySlate(1);

/** Passively out: after failures, for a while. */
export interface Out {
  /** Of the clock that never goes back. */
  until: number;
  /** Of the wall clock. */
  readonly since: number;
  readonly why: ConnectFailure;
}

/** A server and what is known of it. Its pool decides; it counts. */
export class Member implements Server {
  spec: Spec;
  eligible = false;
  open = 0;
  /** Given to somebody from the queue who will connect at once. */
  held = 0;
  /** Those that are open or held at all workers, where that is limited. */
  #everywhere: Count | undefined;

  total = 0;
  failures = 0;
  connects = 0;
  connectMs = 0;
  up = 0;
  down = 0;
  ejections = 0;

  /** Failures since it last answered. */
  streak = 0;
  out: Out | undefined;
  verdict: Verdict | undefined;
  /** It has to warm up when it is chosen next. */
  cold: boolean;
  /** Its weight grows from then on, by the clock that never goes back. */
  warmFrom = -Infinity;
  /** When it came into the pool, by the wall clock. */
  readonly since: number;

  readonly #home: Home;
  #slate: Slate = NOWHERE;
  #slot = 0;

  constructor(spec: Spec, home: Home, { since, cold }: { since: number; cold: boolean }) {
    this.spec = spec;
    this.#home = home;
    this.since = since;
    this.cold = cold;
  }

  get name(): string {
    return this.spec.name;
  }
  get host(): string {
    return this.spec.host;
  }
  get port(): number {
    return this.spec.port;
  }
  /** Its index in the pool; what it says while it has none is of no account. */
  get slot(): number {
    return this.#slot;
  }

  /** From now on its columns are there. */
  move(slate: Slate, slot: number, key: number): void {
    slate.left[slot] = this.#slate.left[this.#slot] as number;
    slate.keys[slot] = key;
    this.#slate = slate;
    this.#slot = slot;
    this.count();
  }

  /** It is in the pool no more: nothing it does shows there. */
  leave(): void {
    this.#slate = emptySlate(1);
    this.#slot = 0;
    this.eligible = false;
    this.out = undefined;
  }

  connecting(): void {
    this.open++;
    this.total++;
    if (this.held > 0) this.held--;
    else this.#everywhere?.add();
    this.count();
  }

  /** Keep a place for somebody who connects at once. */
  hold(): void {
    this.held++;
    this.#everywhere?.add();
    this.count();
  }

  /** They have not come. False: they have. */
  release(): boolean {
    if (this.held === 0) return false;
    for (; this.held > 0; this.held--) this.#everywhere?.leave();
    this.count();
    return true;
  }

  /** Its connections are counted together with those of other workers: from now on, or no more. */
  countBy(everywhere: Count | undefined): void {
    this.#everywhere?.close();
    this.#everywhere = everywhere;
    for (let i = 0; i < this.open + this.held; i++) everywhere?.add();
    this.count();
  }

  /** Whether they are. */
  get limited(): boolean {
    return this.#everywhere !== undefined;
  }

  connected(tookMs: number, proven = true): void {
    this.connects++;
    this.connectMs += tookMs;
    if (proven) this.answered();
  }

  answered(): void {
    this.streak = 0;
    if (this.out !== undefined) this.#home.answered(this);
  }

  failed(why: ConnectFailure, during: "connect" | "answer" = "connect"): void {
    this.open--;
    this.#everywhere?.leave();
    this.failures++;
    this.count();
    this.#home.missed(this, why, during);
    this.#home.freed(this);
  }

  closed(): void {
    this.open--;
    this.#everywhere?.leave();
    this.#slate.left[this.#slot] = this.#home.stamp();
    this.count();
    this.#home.freed(this);
  }

  transferred(up: number, down: number): void {
    this.up += up;
    this.down += down;
  }

  /** Nothing speaks against it: the operator, probes, or its failures. */
  get fit(): boolean {
    return this.wanted && this.out === undefined;
  }
  /** Neither the operator nor probes speak against it. */
  get wanted(): boolean {
    const { state, weight } = this.spec;
    return state === "ready" && weight > 0 && this.verdict?.state !== "down";
  }
  /** Clients that stick to it may come; to one that drains, nobody else. */
  get keeps(): boolean {
    return this.spec.state !== "down" && this.verdict?.state !== "down" && this.out === undefined;
  }
  /** As many are with it as may be. */
  get full(): boolean {
    return !this.leaves(0);
  }
  /** Whether there are more places with it than so many. */
  leaves(spare: number): boolean {
    return this.#everywhere?.full(this.spec.limit, spare) !== true;
  }

  /** Write down how many are with it, and whether that is all it may have. */
  count(): void {
    const slate = this.#slate;
    slate.open[this.#slot] = this.open;
    const bits = slate.blocked[this.#slot] as number;
    slate.blocked[this.#slot] = this.full ? bits | FULL : bits & ~FULL;
  }
}
