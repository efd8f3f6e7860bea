import * as v from "valibot";

import type { Certificates } from "../../../src/net/certificates.ts";
import type { Pool } from "../../../src/net/pools/pool.ts";
import { reactor } from "../../../src/net/reactor-loop.ts";
import type { Log } from "../../../src/observe/log.ts";
import { balance } from "../../../src/services/balance/balance.ts";
import { balanceSchema } from "../../../src/services/balance/config.ts";
import type { Host, Instance } from "../../../src/services/service.ts";
import { fakeHost } from "../../fake/host.ts";
import { FakePool, fakePools } from "../../fake/pools.ts";

/** The balancer in this process, on free ports. One loop for all: two in a thread would make each other late. */
export class Balancing implements AsyncDisposable {
  readonly host: Host;
  readonly #lent = fakeHost();
  #instance: Instance | undefined;

  constructor(pools: readonly Pool[], log?: Log, certificates?: Certificates) {
    this.host = {
      ...this.#lent,
      ...(log && { log }),
      ...(certificates && { certificates }),
      reactor: reactor(),
      pools: fakePools(...pools.filter((one) => one instanceof FakePool)),
    };
  }

  /** Put a config in force: the new one is prepared and started, then the old one stops, as in a reload. */
  async use(section: object, deadline = AbortSignal.timeout(5000)): Promise<void> {
    const next = await balance.prepare(v.parse(balanceSchema, section), this.host);
    next.start();
    const before = this.#instance;
    this.#instance = next;
    await before?.stop(deadline);
  }

  get stats(): Record<string, Stats> {
    return (this.#instance?.stats() ?? {}) as unknown as Record<string, Stats>;
  }
  port(name = "web"): number {
    return Number(this.stats[name]?.listen.split(":").at(-1));
  }
  async action(name: string, input: object): Promise<unknown> {
    const action = this.#instance?.actions?.[name];
    return action?.run(v.parse(action.input, input));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#instance?.stop(AbortSignal.abort());
    this.#lent[Symbol.dispose]();
  }
}

interface Stats {
  readonly listen: string;
  readonly enabled: string;
  readonly groups: string;
  readonly open: number;
  readonly accepted: number;
  readonly refused: number;
  readonly rejected_by_access: number;
  readonly failed: number;
  readonly failed_tls: number;
  readonly up_bytes: number;
  readonly down_bytes: number;
  readonly relay: { readonly splice: number; readonly sockmap: number; readonly copy: number };
}

/** A service that listens on a free port and sends to `pool`; `keys` changes it. */
export function service(pool: string, keys: object = {}): object {
  return {
    listen: "127.0.0.1:0",
    groups: { main: { pool } },
    socket: { defer_accept: 0 },
    ...keys,
  };
}
