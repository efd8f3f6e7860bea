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

/** Bytes the kernel holds for us while we are at something else, each way. */
const QUIC_BUFFER = 4 * 1024 * 1024;

interface Held {
  readonly front: Front;
  readonly port: number;
  /** Undefined until a site wants it. */
  http3: Promise<Http3> | undefined;
  close(): Promise<void>;
}

/** A listener goes on without HTTP/3 when the last site that wants it is gone. */
async function dropHttp3(held: Held, deadline: AbortSignal): Promise<void> {
  const { http3, front } = held;
  if (http3 === undefined || front.routes.mounts.some(({ site }) => site.tls && site.http3)) return;
  held.http3 = undefined;
  await (await http3).drain(deadline);
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
    const quic: Http3[] = [];
    try {
      for (const address of site.listen) {
        const lease = await this.#leases.take(showAddress(address), () =>
          this.#make(address, site),
        );
        leases.push(lease);
        if (site.tls && site.http3 && address.kind === "tcp")
          quic.push(await (lease.value.http3 ??= this.#quic(lease.value, address, site)));
      }
    } catch (failed) {
      await Promise.all(leases.map((lease) => lease[Symbol.asyncDispose]()));
      throw failed;
    }
    const mount = new Mount(site, this.#deps.metrics);
    const fronts = leases.map((lease) => lease.value.front);
    return {
      open: () => {
        for (const front of fronts) front.add(mount);
        for (const http3 of quic) http3.open();
      },
      close: async (deadline) => {
        for (const front of fronts) front.remove(mount);
        const unwanted = leases.map((lease) => dropHttp3(lease.value, deadline));
        await Promise.all([mount.whenIdle(deadline), ...unwanted]);
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
    await Promise.all(
      [...this.#held].flatMap(({ front, http3 }) => [
        front.drain(deadline),
        (async () => (await http3)?.drain(deadline))(),
      ]),
    );
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
    const held: Held = {
      front,
      port,
      http3: undefined,
      close: async () => {
        this.#held.delete(held);
        const deadline = AbortSignal.timeout(GRACE_MS);
        await Promise.all([
          front.drain(deadline),
          held.http3?.then((it) => it.drain(deadline)).catch(() => {}), // it could not be made
        ]);
        await lease[Symbol.asyncDispose]();
      },
    };
    this.#held.add(held);
    return held;
  }

  /** Rejects with SysError when the UDP port cannot be had. */
  async #quic(held: Held, address: Address & { kind: "tcp" }, site: Site): Promise<Http3> {
    const { reactor, certificates, sockets } = this.#deps;
    const { reusePort, maxConnections } = site.socket;
    const at = { ...address, port: held.port };
    try {
      return new Http3({
        front: held.front,
        socket: await sockets.takeDatagram(at, {
          reusePort,
          buffer: QUIC_BUFFER,
          dontFragment: true,
        }),
        listener: showAddress(at),
        reactor,
        certificates,
        most: maxConnections,
      });
    } catch (failed) {
      held.http3 = undefined; // the next that wants it tries again
      throw failed;
    }
  }
}
