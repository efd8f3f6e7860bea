import type { Clock } from "../../core/clock.ts";
import type { Count } from "../tally/count.ts";
import type { Tallies } from "../tally/tallies.ts";
import { Line } from "./line.ts";
import { Member } from "./member.ts";
import type { PoolPlan } from "./plan.ts";
import type { Client } from "./pool.ts";

/** What a pool's queue is made with. */
export interface QueueParts {
  readonly clock: Clock;
  readonly tallies: Tallies;
  /** A server for a client that waits: "full", or undefined when there is nobody. */
  readonly choose: (client: Client) => Member | undefined | "full";
  /** Any server has a place. */
  readonly room: () => boolean;
  /** Each client waits for a server of its own. */
  readonly sticky: () => boolean;
}

/** Clients of a pool that wait for a place, here and, as a number, at all workers. */
export class Queue {
  readonly #parts: QueueParts;
  readonly #line = new Line();
  /** Clients that wait, at all workers, where anybody has a limit. */
  #queued: Count | undefined;
  #stopLooking: (() => void) | undefined;

  constructor(parts: QueueParts) {
    this.#parts = parts;
  }

  /** Clients that wait here. */
  get length(): number {
    return this.#line.length;
  }
  /** Clients that wait at other workers. */
  get elsewhere(): number {
    return this.#queued?.elsewhere ?? 0;
  }

  /** Somebody has a limit: from now on those who wait are counted, in the pool of this name. */
  count(pool: string): void {
    this.#queued ??= this.#parts.tallies.count(`pool ${pool} queue`);
  }

  /** Resolves with a server that has a place; undefined at once when too many wait, or when it takes too long. */
  async wait(
    client: Client,
    { size, timeout }: PoolPlan["queue"],
    signal: AbortSignal,
  ): Promise<Member | undefined> {
    const queued = this.#queued;
    if (queued?.take(size) !== true) return undefined;
    const { clock, tallies, room } = this.#parts;
    this.#stopLooking ??= tallies.watch(() => {
      if (room()) this.#serve();
    });
    const late = clock.deadline(timeout);
    const found = await this.#line.wait(client, AbortSignal.any([signal, late]));
    queued.leave();
    if (this.#line.length === 0) this.#lookNoMore();
    return found;
  }

  /** There may be places now. */
  serve(): void {
    if (this.#line.length > 0) this.#serve();
  }

  /** A place is free: who waits at another worker waits as long, they see it when we look again. */
  freed(): void {
    if (this.#line.length > 0 && this.elsewhere === 0) this.#serve();
  }

  #lookNoMore(): void {
    this.#stopLooking?.();
    this.#stopLooking = undefined;
  }

  /** Whoever waits gets what is free now; it is kept for them until they connect, which is at once. */
  #serve(): void {
    const held: Member[] = [];
    this.#line.serve((client) => {
      const found = this.#parts.choose(client);
      if (!(found instanceof Member)) return this.#parts.sticky() ? "not yet" : "none";
      found.hold();
      held.push(found);
      return found;
    });
    if (held.length > 0) setImmediate(() => this.#release(held));
  }

  /** Who was given a place and did not connect (it went away meanwhile) has lost it. */
  #release(held: readonly Member[]): void {
    let left = false;
    for (const member of held) if (member.release()) left = true;
    if (left) this.serve();
  }
}
