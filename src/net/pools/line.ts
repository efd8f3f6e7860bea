import type { Member } from "./member.ts";
import type { Client } from "./pool.ts";

interface Waiter {
  readonly client: Client;
  readonly settle: (found: Member | undefined) => void;
}

/** Clients that wait until a server is no longer full, in the order they came. */
export class Line {
  readonly #waiting = new Set<Waiter>();

  get length(): number {
    return this.#waiting.size;
  }

  /** Resolves with the server that `serve` found; undefined when `over` aborts first. */
  wait(client: Client, over: AbortSignal): Promise<Member | undefined> {
    if (over.aborted) return Promise.resolve(undefined);
    const { promise, resolve } = Promise.withResolvers<Member | undefined>();
    const leave = (): void => waiter.settle(undefined);
    const waiter: Waiter = {
      client,
      settle: (found) => {
        this.#waiting.delete(waiter);
        over.removeEventListener("abort", leave);
        resolve(found);
      },
    };
    over.addEventListener("abort", leave, { once: true });
    this.#waiting.add(waiter);
    return promise;
  }

  /** Give places to those who wait, the first first; "none" ends it: nobody else has a chance either. */
  serve(find: (client: Client) => Member | "not yet" | "none"): void {
    for (const waiter of this.#waiting) {
      const found = find(waiter.client);
      if (found === "none") return;
      if (found !== "not yet") waiter.settle(found);
    }
  }
}
