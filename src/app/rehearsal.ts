import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { systemClock } from "../core/clock.ts";
import { Leases } from "../core/lease.ts";
import { noCertificates } from "../net/certificates.ts";
import { noNodes } from "../net/cluster/nodes.ts";
import { noHealth } from "../net/health/health.ts";
import type { HttpFronts } from "../net/http-fronts.ts";
import { noPools } from "../net/pools/pool.ts";
import { reactor } from "../net/reactor-loop.ts";
import type { ListenSocket, Sockets } from "../net/sockets.ts";
import { CertificateKeeper } from "../net/tls/keeper.ts";
import { silent } from "../observe/log.ts";
import { Registry } from "../observe/registry.ts";
import type { Config } from "./config-text.ts";
import { Roster } from "./roster.ts";
import { SERVICES } from "./services.ts";
import { talliesIn } from "./tally-memory.ts";

/** Listeners that nobody hears: `check` must not take connections from the tern that runs. */
const DEAF: HttpFronts = {
  attach: async () => ({ open() {}, close: async () => {} }),
};

/** Sockets that are not there. */
const unbound = async () => ({
  value: { fds: [], port: 0, close: async () => {} } satisfies ListenSocket,
  [Symbol.asyncDispose]: async () => {},
});
const UNBOUND: Sockets = { take: unbound, takeDatagram: unbound };

/**
 * The walk of a config up to the moment of binding: directories are opened, certificates read.
 * Rejects with the first thing that cannot be. Leaves nothing behind.
 */
export async function rehearse({ root, sections }: Config): Promise<void> {
  const state = mkdtempSync(join(tmpdir(), "tern-check-"));
  try {
    await CertificateKeeper.prepare(root.tls, {
      state,
      clock: systemClock,
      wall: Date.now,
      dice: Math.random,
      log: silent,
    });
    const roster = new Roster(SERVICES, {
      clock: systemClock,
      log: silent,
      metrics: new Registry(),
      accessLog: undefined,
      reactor: reactor(),
      http: DEAF,
      sockets: UNBOUND,
      leases: new Leases(),
      certificates: noCertificates,
      health: noHealth,
      pools: noPools,
      nodes: noNodes,
      tallies: talliesIn(undefined, 1),
      state,
      worker: { index: 0, count: 1 },
    });
    await (await roster.prepare(sections)).abandon();
  } finally {
    rmSync(state, { recursive: true, force: true });
  }
}
