/** How long each of several that go in lock-step may keep the others waiting. */
import { STALL_MS } from "./members/member.ts";

/** Whoever makes so many bytes a millisecond is never left behind for being slow: 1 MB/s. */
const RATE = 1000;
/** How much longer than the others one may take, in all, before it is slow. */
const TIMES = 4;

export class Patience<T> {
  readonly #least: number;
  /** Milliseconds that each has taken so far. */
  readonly #spent = new Map<T, number>();

  /** `least` of `all` are needed: they may take their time. */
  constructor(all: readonly T[], least: number) {
    for (const one of all) this.#spent.set(one, 0);
    this.#least = least;
  }

  /** It is left behind. */
  forget(one: T): void {
    this.#spent.delete(one);
  }

  spend(one: T, ms: number): void {
    const spent = this.#spent.get(one);
    if (spent !== undefined) this.#spent.set(one, spent + ms);
  }

  /** Longest wait for the next step of `one`, when so many bytes have passed. Milliseconds. */
  left(one: T, bytes: number): number {
    if (this.#spent.size <= this.#least) return STALL_MS;
    const all = [...this.#spent.values()].toSorted((a, b) => a - b);
    const needed = all[this.#least - 1] ?? 0;
    const most = STALL_MS + Math.max(bytes / RATE, TIMES * needed);
    return Math.min(STALL_MS, Math.max(0, most - (this.#spent.get(one) ?? 0)));
  }
}
