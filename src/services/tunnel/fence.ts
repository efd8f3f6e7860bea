import { existsSync } from "node:fs";

import { type Cidr, showCidr } from "../../core/cidr.ts";
import type { Closable } from "../../core/lease.ts";
import { SysError } from "../../sys/errno.ts";
import { RouteSocket } from "../../sys/netlink/route-socket.ts";
import { deleteRoute, replaceRoute, type Route, unreachables } from "../../sys/netlink/routes.ts";
import { NetworkNamespace } from "../../sys/netns.ts";

/**
 * Metrics of fences begin here, behind those of every tunnel; who raised one is added, a number below
 * PIDS (pid_max of Linux). So two processes never take away one another's while they change places.
 */
const FENCES = 0xff80_0000;
const PIDS = 2 ** 22;

/**
 * Where the routes of a tunnel lead when it is not there: nowhere. They belong to no device, so they
 * stay when the process is killed: then whoever serves the tunnel next takes them away.
 */
export class Fence implements Closable {
  readonly #net: RouteSocket;
  #raised: readonly Route[] = [];

  /** In the namespace of that name, or in ours. Throws SysError. */
  constructor(netns: string | null) {
    const inside = netns === null ? undefined : new NetworkNamespace(netns);
    try {
      const make = (): RouteSocket => new RouteSocket();
      this.#net = inside === undefined ? make() : inside.run(make);
    } finally {
      inside?.close();
    }
  }

  /** Around these networks and no others. Throws SysError: EPERM without CAP_NET_ADMIN. */
  raise(routes: readonly Cidr[]): void {
    const metric = FENCES + (process.pid % PIDS);
    const wanted = routes.map((to): Route => ({ to, metric, device: 0, unreachable: true }));
    for (const one of wanted) replaceRoute(this.#net, one);
    const names = new Set(routes.map(showCidr));
    for (const one of this.#raised) if (!names.has(showCidr(one.to))) deleteRoute(this.#net, one);
    this.#raised = wanted;
  }

  /** Take away what is around these networks and was raised by a process that is no more. Throws SysError. */
  clear(routes: readonly Cidr[]): void {
    const names = new Set(routes.map(showCidr));
    for (const one of unreachables(this.#net)) {
      const pid = one.metric - FENCES;
      if (pid < 0 || pid >= PIDS || !names.has(showCidr(one.to))) continue;
      if (pid !== process.pid % PIDS && !existsSync(`/proc/${pid}`)) deleteRoute(this.#net, one);
    }
  }

  async close(): Promise<void> {
    try {
      this.raise([]);
    } catch (error) {
      // A namespace that is gone took it along.
      if (!(error instanceof SysError)) throw error;
    }
    this.#net.close();
  }
}
