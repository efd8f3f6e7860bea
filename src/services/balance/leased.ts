import type { Closable, Lease } from "../../core/lease.ts";
import type { Host } from "../service.ts";

/** Everything this config has leased. */
export class Leased {
  readonly #host: Host;
  readonly #leases: Lease<Closable>[] = [];

  constructor(host: Host) {
    this.#host = host;
  }

  /** What is leased under a name is what was made under it. */
  async take<T extends Closable>(name: string, make: () => Promise<T>): Promise<T> {
    const lease = (await this.#host.leases.take(name, make)) as Lease<T>;
    this.#leases.push(lease);
    return lease.value;
  }

  async giveBack(): Promise<void> {
    for (const lease of this.#leases.splice(0).toReversed()) await lease[Symbol.asyncDispose]();
  }
}
