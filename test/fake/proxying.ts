import * as v from "valibot";

import { reactor } from "../../src/net/reactor-loop.ts";
import { placeholder } from "../../src/net/tls/self-signed.ts";
import type { Log } from "../../src/observe/log.ts";
import { proxySchema } from "../../src/services/proxy/config.ts";
import { proxy } from "../../src/services/proxy/proxy.ts";
import type { Instance } from "../../src/services/service.ts";
import { realFronts } from "./fronts.ts";
import { fakeHost } from "./host.ts";
import { FakePool, fakePools, FakeServer } from "./pools.ts";

/** A proxy on a free loopback port of this process. */
export interface Proxying extends AsyncDisposable {
  readonly port: number;
  readonly pool: FakePool;
  readonly instance: Instance;
}

/**
 * The proxy service before one pool of servers on these ports of 127.0.0.1, asked in this order.
 * `keys` are a proxy's as its file has them; without routes everything goes to the pool.
 */
export async function proxying(
  ports: readonly number[],
  keys: object = {},
  wishes: { readonly log?: Log; readonly others?: readonly FakePool[] } = {},
): Promise<Proxying> {
  const pool = new FakePool(
    "app",
    ports.map((port, i) => new FakeServer(`s${i}`, port)),
  );
  const lent = fakeHost(wishes);
  const certificate = await placeholder("localhost", Date.now());
  const http = realFronts(certificate, { all: () => [certificate] }, wishes.log);
  // One loop for all: two that wait in one thread would each make the other late.
  const host = {
    ...lent,
    http,
    reactor: reactor(),
    pools: fakePools(pool, ...(wishes.others ?? [])),
  };
  const config = v.parse(proxySchema, {
    edge: { listen: "127.0.0.1:0", routes: [{ pool: "app" }], ...keys },
  });
  const instance = await proxy.prepare(config, host);
  instance.start();
  return {
    port: http.stats()[0]?.port ?? 0,
    pool,
    instance,
    [Symbol.asyncDispose]: async () => {
      await instance.stop(AbortSignal.timeout(20));
      lent[Symbol.dispose]();
    },
  };
}
