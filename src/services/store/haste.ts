/**
 * Not to wait for the slowest: who is slower than nearly all have been lately is waited for together
 * with another one (Dean and Barroso, The Tail at Scale, CACM 2013). So one read in twenty costs a
 * second one, and none waits for a member that has just stopped.
 */

import type { Clock } from "../../core/clock.ts";

/** Durations that are remembered, of each length. */
const REMEMBERED = 128;
/** So few say nothing yet. */
const FEW = 16;
/** Of twenty, one is slower. */
const SHARE = 0.95;
/** How long to wait while nothing is known. Milliseconds. */
const UNKNOWN_MS = 150;
/** Sooner nobody is asked twice: it is not worth the work. And so long is slow, whatever has been. Milliseconds. */
const LEAST_MS = 20;
const MOST_MS = 1000;

/** Somebody else who tries it. */
export interface Rival<T> {
  readonly tried: Promise<T>;
  giveUp(): void;
}

export class Haste {
  /** How often another one was asked, and how often that one was first. */
  readonly figures = { asked: 0, won: 0 };
  readonly #clock: Clock;
  /** By length: what is a quarter of another one takes another time. */
  readonly #lately = new Map<number, Lately>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * What `first` gives, or, when that takes its time, what `second` gives when that `isGood` before.
   * Neither may reject. `second` answers undefined when there is nobody else.
   */
  async sooner<T>(
    length: number,
    first: () => Promise<T>,
    second: () => Rival<T> | undefined,
    isGood: (given: T) => boolean,
  ): Promise<T> {
    const clock = this.#clock;
    const began = clock.now();
    const lately = this.#of(length);
    const own = first();
    const slow = Promise.withResolvers<void>();
    const cancel = clock.later(lately.nearlyAll, slow.resolve);
    const soon = await Promise.race([own.then((given) => ({ given })), slow.promise]);
    cancel();
    const done = (given: T): T => {
      if (isGood(given)) lately.add(clock.now() - began);
      return given;
    };
    if (soon !== undefined) return done(soon.given);
    const rival = second();
    if (rival === undefined) return done(await own);
    this.figures.asked++;
    const won = await Promise.race([
      own.then(() => false),
      rival.tried.then((given) => (isGood(given) ? true : own.then(() => false))),
    ]);
    if (!won) {
      rival.giveUp();
      return done(await own);
    }
    this.figures.won++;
    return done(await rival.tried);
  }

  #of(length: number): Lately {
    const kind = Math.floor(Math.log2(Math.max(length, 1)) / 2);
    const known = this.#lately.get(kind);
    if (known !== undefined) return known;
    const fresh = new Lately();
    this.#lately.set(kind, fresh);
    return fresh;
  }
}

/** How long something has taken lately. */
class Lately {
  readonly #took: number[] = [];
  #at = 0;
  #nearlyAll = UNKNOWN_MS;

  add(ms: number): void {
    this.#took[this.#at % REMEMBERED] = ms;
    this.#at++;
    if (this.#at % FEW !== 0) return;
    const all = this.#took.toSorted((a, b) => a - b);
    const longest = all[Math.floor(all.length * SHARE)] ?? UNKNOWN_MS;
    this.#nearlyAll = Math.min(MOST_MS, Math.max(LEAST_MS, longest));
  }

  /** Nearly all took no longer. Milliseconds. */
  get nearlyAll(): number {
    return this.#nearlyAll;
  }
}
