import { createHash } from "node:crypto";

import { showCidr } from "../../../core/cidr.ts";
import type { Closable, Lease } from "../../../core/lease.ts";
import { listenerName } from "../../../net/sockets.ts";
import type { Host } from "../../service.ts";
import { deviceOf, type TunnelConfig } from "../config.ts";
import { socketOf } from "../placement.ts";
import type { TunnelStatus } from "../status.ts";
import type { Traffic } from "../traffic.ts";
import { LEGACY_WARNING } from "../warning.ts";
import { Door } from "./door.ts";
import { LegacySession } from "./session.ts";

/** Bytes of datagrams that the kernel may hold for us each way. */
const SOCKET_BUFFER = 8 * 1024 * 1024;

/** A tunnel to an old 3wdd under one config. A config that wants the same goes on with the same. */
export class LegacyEnd {
  readonly name: string;
  readonly config: TunnelConfig;
  readonly #lease: Lease<LegacySession>;
  readonly #host: Host;

  /** Everything that can fail. Rejects with SysError. */
  static async prepare(
    name: string,
    config: TunnelConfig,
    host: Host,
    place: number,
  ): Promise<LegacyEnd> {
    const { token } = config;
    if (token === null) throw new TypeError(`tunnel ${name} has no token`); // config.ts does not let it pass
    const take = async <T extends Closable>(key: string, make: () => Promise<T>) =>
      (await host.leases.take(key, make)) as Lease<T>; // made under that name
    const id = createHash("sha256")
      .update(JSON.stringify([name, place, { ...config, key: null }, token.reveal()]))
      .digest("hex");
    const lease = await take(`tunnel legacy ${id}`, async () => {
      const { listen, peer } = config;
      const owner = `tunnel ${name}`;
      const address = listen ?? { kind: "tcp" as const, host: "", port: 0 };
      const door = await take(
        `tunnel door ${socketOf(name, config)} ${listenerName(address, owner)}`,
        async () => {
          const options = { reusePort: true, buffer: SOCKET_BUFFER };
          const socket = await host.sockets.takeDatagram(address, options, owner);
          const { reactor, clock } = host;
          return new Door({ address, socket, reactor, clock, listens: listen !== null });
        },
      );
      if (peer === null && listen === null) throw new TypeError("a tunnel leads nowhere");
      return new LegacySession({ name, config, token: token.reveal(), place, host, door });
    });
    return new LegacyEnd(name, config, host, lease);
  }

  private constructor(name: string, config: TunnelConfig, host: Host, lease: Lease<LegacySession>) {
    this.name = name;
    this.config = config;
    this.#host = host;
    this.#lease = lease;
  }

  get session(): LegacySession {
    return this.#lease.value;
  }
  get device(): string {
    return deviceOf(this.name, this.config);
  }
  /** Its socket. */
  get hub(): Door {
    return this.session.door;
  }
  get traffic(): Traffic {
    return this.session.traffic;
  }
  get isUp(): boolean {
    return this.session.isUp;
  }
  /** Smoothed round trip, ms; NaN: not known. */
  get rtt(): number {
    const { stats } = this.session;
    return stats === undefined ? Number.NaN : stats.rtt / 1000;
  }

  /** Carry nothing until `raise`. */
  hold(): void {
    this.session.hold();
  }
  raise(): void {
    this.session.raise();
  }
  rekey(): never {
    throw new Error(`${this.name} speaks 3wdd's protocol, whose key is for all time`);
  }

  start(): void {
    this.#host.log.warn(LEGACY_WARNING, { tunnel: this.name });
    this.session.start();
  }
  async stop(): Promise<void> {
    await this.#lease[Symbol.asyncDispose]();
  }
}

/** As `tunnelStatus` of the others. */
export function legacyStatus({ name, config, device, session }: LegacyEnd): TunnelStatus {
  const { stats, door, since } = session;
  const at = (then: number): number => Math.round(performance.timeOrigin + then);
  const tenths = (us: number): number => Math.round(us / 100) / 10;
  const state = session.device === undefined ? "no device" : session.isUp ? "up" : "down";
  return {
    state: session.isHeld ? "held" : state,
    protocol: "3wdd",
    warning: LEGACY_WARNING,
    cipher: config.cipher,
    device,
    mtu: config.mtu,
    listen: door.name,
    peer: session.peer ?? null,
    peerKey: `none, session ${name}`,
    handshakeAt: since === undefined ? null : at(since),
    heardAt: stats === undefined ? null : at(stats.heardAt / 1000),
    rttMs: stats === undefined ? null : tenths(stats.rtt),
    variationMs: stats === undefined ? null : tenths(stats.rttVariance),
    lossOut: null,
    lossIn: null,
    routes: session.device?.routes.map(({ to }) => showCidr(to)) ?? [],
    metric: session.priority,
    repairs: null,
    traffic: { ...session.traffic },
  };
}
