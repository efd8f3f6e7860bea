import { NONE, type Scheduler, type Slate } from "./slate.ts";

/**
 * In turn, each as often as its weight says and never in clumps: 5:1:1 is a a b a c a a (nginx's
 * smooth weighted round robin).
 */
export class RoundRobin implements Scheduler {
  readonly #turns = new Turns();

  reset(slate: Slate): void {
    this.#turns.reset(slate);
  }

  choose(slate: Slate): number {
    const { candidates, count, blocked } = slate;
    for (let i = 0; i < count; i++) {
      const one = candidates[i] as number;
      if (blocked[one] === 0) this.#turns.enter(slate, one);
    }
    return this.#turns.take();
  }
}

/** Smooth weighted turns among those who enter a round. */
export class Turns {
  #credit = new Float64Array();
  #best = NONE;
  #total = 0;

  /** Credit of those who are no candidates any more is void; that of the others stays. */
  reset({ candidates, count, shares }: Slate): void {
    const before = this.#credit;
    this.#credit = new Float64Array(shares.length);
    for (let i = 0; i < count; i++) {
      const one = candidates[i] as number;
      this.#credit[one] = before[one] ?? 0;
    }
  }

  /** A round: everybody in it earns its weight, then the richest goes and pays for all. */
  enter({ weights }: Slate, one: number): void {
    const credit = this.#credit;
    const weight = weights[one] as number;
    credit[one] = (credit[one] as number) + weight;
    this.#total += weight;
    if (this.#best === NONE || (credit[one] as number) > (credit[this.#best] as number))
      this.#best = one;
  }

  /** Who goes; NONE when nobody has entered. */
  take(): number {
    const best = this.#best;
    if (best !== NONE) this.#credit[best] = (this.#credit[best] as number) - this.#total;
    this.#best = NONE;
    this.#total = 0;
    return best;
  }
}
