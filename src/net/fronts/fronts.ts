import { type Address, showAddress } from "../../core/address.ts";
import { type Lease, Leases } from "../../core/lease.ts";
import type { Attachment, HttpFronts, Site } from "../http-fronts.ts";
import { Backstage } from "./backstage.ts";
import type { FrontDeps } from "./deps.ts";
import { Front } from "./front.ts";
import { Http3 } from "./http3.ts";
import { Mount } from "./mount.ts";

/** How long the connections of a listener that nobody wants any more may finish. */
const GRACE_MS = 10_000;

interface Held {
  readonly front: Front;
  readonly port: number;
  close(): Promise<void>;
}

/** What `status` shows of a listener. */
export interface FrontStats {
  readonly listener: string;
  readonly port: number;
  readonly connections: number;
  readonly requests: number;
  readonly sites: readonly string[];
}

/** The HTTP listeners of this process. */
export class Fronts implements HttpFronts {
  readonly #deps: FrontDeps;
  readonly #leases = new Leases<Held>();
  readonly #held = new Set<Held>();
  readonly #backstage = new Backstage();

  constructor(deps: FrontDeps) {
    this.#deps = deps;
    const connections = deps.metrics.gauge("tern_http_connections", "Open HTTP connections.");
    deps.metrics.onSnapshot(() => {
      let count = 0;
      for (const { front } of this.#held) count += front.connections;
      connections.set(count);
    });
  }

  async attach(site: Site): Promise<Attachment> {
    const leases: Lease<Held>[] = [];
    try {
      for (const address of site.listen)
        leases.push(await this.#leases.take(showAddress(address), () => this.#make(address, site)));
    } catch (failed) {
      await Promise.all(leases.map((lease) => lease[Symbol.asyncDispose]()));
      throw failed;
    }
    const mount = new Mount(site, this.#deps.metrics);
    const fronts = leases.map((lease) => lease.value.front);
    return {
      open: () => {
        for (const front of fronts) front.add(mount);
      },
      close: async (deadline) => {
        for (const front of fronts) front.remove(mount);
        await mount.whenIdle(deadline);
        await Promise.all(leases.map((lease) => lease[Symbol.asyncDispose]()));
      },
    };
  }

  stats(): FrontStats[] {
    return [...this.#held].map(({ front, port }) => ({
      listener: front.name,
      port,
      connections: front.connections,
      requests: front.requests,
      sites: front.routes.mounts.map((m) => m.site.name),
    }));
  }

  /** The process is leaving: accept nothing more, answer what is in hand. */
  async drain(deadline: AbortSignal): Promise<void> {
    await Promise.all([...this.#held].map(({ front }) => front.drain(deadline)));
    this.#backstage.stop();
  }

  async #make(address: Address, site: Site): Promise<Held> {
    const lease = await this.#deps.sockets.take(address, site.socket);
    const { port } = lease.value;
    const front = new Front(
      showAddress(address),
      lease.value,
      site.socket,
      this.#deps,
      this.#backstage,
    );
    const http3 =
      site.tls && site.http3 && address.kind === "tcp"
        ? new Http3(front, { ...address, port }, this.#deps.certificates)
        : undefined;
    const held: Held = {
      front,
      port,
      close: async () => {
        this.#held.delete(held);
        http3?.stop();
        await front.drain(AbortSignal.timeout(GRACE_MS));
        await lease[Symbol.asyncDispose]();
      },
    };
    this.#held.add(held);
    return held;
  }
}
