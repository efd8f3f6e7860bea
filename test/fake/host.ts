import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";

import { type Clock, systemClock } from "../../src/core/clock.ts";
import { Leases } from "../../src/core/lease.ts";
import { noCertificates } from "../../src/net/certificates.ts";
import { type Nodes, noNodes } from "../../src/net/cluster/nodes.ts";
import { noHealth } from "../../src/net/health/health.ts";
import type { HttpFronts, Site } from "../../src/net/http-fronts.ts";
import { LocalSockets } from "../../src/net/local-sockets.ts";
import { noPools } from "../../src/net/pools/pool.ts";
import { ReactorLoop } from "../../src/net/reactor-loop.ts";
import type { Tallies } from "../../src/net/tally/tallies.ts";
import { type Log, silent } from "../../src/observe/log.ts";
import { Registry } from "../../src/observe/registry.ts";
import type { Host } from "../../src/services/service.ts";
import { ownTallies } from "./tallies.ts";

/** Listeners without sockets: they keep the sites, so that a test can call their handlers. */
export class FakeFronts implements HttpFronts {
  readonly sites: Site[] = [];
  /** What was opened and closed, in order: "open web.site". */
  readonly diary: string[] = [];

  async attach(site: Site) {
    this.sites.push(site);
    return {
      open: () => void this.diary.push(`open ${site.name}`),
      close: async () => void this.diary.push(`close ${site.name}`),
    };
  }
}

export interface FakeHost extends Host, Disposable {
  readonly http: FakeFronts;
  readonly metrics: Registry;
}

export interface HostWishes {
  readonly clock?: Clock;
  readonly log?: Log;
  /** Kept when given; else made, and removed with the host. */
  readonly state?: string;
  readonly worker?: Host["worker"];
  readonly nodes?: Nodes;
  readonly tallies?: Tallies;
}

/** One for all hosts: the kernel lets a loop nest in some 500 others only (EINVAL of epoll_ctl). */
const reactor = new ReactorLoop((error) => {
  throw error;
});

/** What a service is lent, with nothing outside the test behind it but a directory and an epoll loop. */
export function fakeHost(wishes: HostWishes = {}): FakeHost {
  const { path: state, gone } =
    wishes.state === undefined ? ownState() : { path: wishes.state, gone: () => {} };
  return {
    clock: wishes.clock ?? systemClock,
    log: wishes.log ?? silent,
    metrics: new Registry(),
    accessLog: undefined,
    reactor,
    http: new FakeFronts(),
    sockets: new LocalSockets(),
    leases: new Leases(),
    certificates: noCertificates,
    health: noHealth,
    pools: noPools,
    nodes: wishes.nodes ?? noNodes,
    tallies: wishes.tallies ?? ownTallies(),
    state,
    worker: wishes.worker ?? { index: 0, count: 1 },
    [Symbol.dispose]: gone,
  };
}

/**
 * A directory, and in that of TERN_HOSTS, when build/test.ts asks for it, who made it: a file until it is gone. What
 * stays in there is a host that nobody disposed of.
 */
function ownState() {
  const path = mkdtempSync(join(tmpdir(), "tern-state-"));
  const hosts = process.env["TERN_HOSTS"];
  const note = hosts === undefined ? undefined : join(hosts, basename(path));
  if (note !== undefined) writeFileSync(note, new Error("made here").stack ?? "");
  return {
    path,
    gone(): void {
      rmSync(path, { recursive: true, force: true });
      if (note !== undefined) rmSync(note, { force: true });
    },
  };
}
