import type { Closable } from "../../core/lease.ts";
import type { Count } from "../../net/tally/count.ts";
import type { Tallies } from "../../net/tally/tallies.ts";

/**
 * The places of one service for clients, at all workers together. Leased under the service's name:
 * a client has its place whatever configs come and go.
 */
export class Places implements Closable {
  readonly #taken: Count;
  /** Workers that would take one more client. */
  readonly #waiting: Count;
  readonly #tallies: Tallies;
  #most = 0;
  #wake: (() => void) | undefined;
  #stopLooking: (() => void) | undefined;

  constructor(service: string, tallies: Tallies) {
    this.#tallies = tallies;
    this.#taken = tallies.count(`${service} clients`);
    this.#waiting = tallies.count(`${service} waiting`);
  }

  /** Take one of `most`. Where others wait for one, each of them is left one, unless we waited, too. */
  take(most: number): boolean {
    const waited = this.#stopLooking !== undefined;
    if (!this.#taken.take(most, waited ? 0 : this.#waiting.elsewhere)) return false;
    if (waited) this.#look("no more");
    return true;
  }

  /** Whether there are more clients than so many. */
  exceed(most: number): boolean {
    return this.#taken.full(most + 1);
  }

  /** One is free again. */
  leave(): void {
    this.#taken.leave();
    if (this.#stopLooking !== undefined && this.#waiting.elsewhere === 0) this.#wake?.();
  }

  /** Call `wake` when one of `most` is free, here or at another worker, to `take` it. */
  wait(most: number, wake: () => void): void {
    this.#most = most;
    this.#wake = wake;
    this.#look("from now on");
  }

  /** Whoever waits by `wake` waits no more. */
  forget(wake: () => void): void {
    if (this.#wake !== wake) return;
    this.#wake = undefined;
    this.#look("no more");
  }

  async close(): Promise<void> {
    this.#look("no more");
    this.#taken.close();
    this.#waiting.close();
  }

  #look(how: "from now on" | "no more"): void {
    if ((how === "from now on") === (this.#stopLooking !== undefined)) return;
    if (how === "from now on") {
      this.#waiting.add();
      this.#stopLooking = this.#tallies.watch(() => {
        if (!this.#taken.full(this.#most)) this.#wake?.();
      });
      return;
    }
    this.#waiting.leave();
    this.#stopLooking?.();
    this.#stopLooking = undefined;
  }
}
