import { Absence } from "./absence.ts";

/** libudt's: silence is looked at after a round trip and its deviation and SYN, or after this, times how often. µs. */
const EXPECT = 300_000;
const SYN = 10_000;
/** So many silences, 46 seconds, are the end. */
const MOST = 16;

/** How long the peer has said nothing (libudt's EXP timer). Times µs. */
export class Silence {
  heardAt: number;
  /** When it is looked at next is counted from here. */
  #from: number;
  #count = 1;
  readonly #absence = new Absence();

  constructor(now: number) {
    this.heardAt = this.#from = now;
  }

  /** How often it was looked at, and one more. */
  get count(): number {
    return this.#count;
  }
  /** It has gone on for too long. */
  get isEnd(): boolean {
    return this.#count > MOST;
  }

  /** The peer has spoken. */
  broken(now: number): void {
    this.heardAt = this.#from = now;
    this.#count = 1;
    this.#absence.end();
  }

  /** When it is to be looked at; `patience`: what an answer takes at most. */
  lookAt(patience: number): number {
    const n = this.#count;
    return this.#from + Math.max(n * patience + SYN, n * EXPECT);
  }

  /** It was looked at, which was due at `due`. False: that says nothing of the peer, since we were away. */
  goesOn(due: number, now: number): boolean {
    const isReal = !this.#absence.excuses(due, now);
    if (isReal) this.#count += 1;
    this.#from = now;
    return isReal;
  }
}
