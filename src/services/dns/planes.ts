import type { Address } from "../../core/address.ts";
import type { Closable, Lease } from "../../core/lease.ts";
import type { SocketOptions } from "../../core/socket-options.ts";
import { listenerName } from "../../net/sockets.ts";
import { movesBatches } from "../../sys/datagram.ts";
import type { Host } from "../service.ts";
import { RuntimeUdpPlane } from "./runtime-udp-plane.ts";
import { StreamPlane } from "./stream-plane.ts";
import { type DatagramPlane, UdpPlane } from "./udp-plane.ts";

/** Bytes of datagrams the kernel may hold while we are at something else: some 10 000 questions. */
const UDP_BUFFER = 8 * 1024 * 1024;

/** How datagrams are moved; the variable is for tests of the other way. */
const IN_BATCHES = process.env["TERN_DNS_UDP"] !== "runtime" && movesBatches();

/** The listeners of a server: one on an address, whatever config comes, as long as one wants it. */
export class Planes {
  readonly #owner: string;
  readonly #host: Host;
  readonly udp: Lease<DatagramPlane>[] = [];
  readonly streams: Lease<StreamPlane>[] = [];

  /** Of the server `name`. */
  constructor(name: string, host: Host) {
    this.#owner = `dns ${name}`;
    this.#host = host;
  }

  async takeUdp(address: Address, options: SocketOptions): Promise<void> {
    const { sockets, reactor } = this.#host;
    const { reusePort } = options;
    const lease = await this.#take(
      `dns udp ${listenerName(address, this.#owner)}`,
      async (): Promise<DatagramPlane> => {
        const wishes = { reusePort, buffer: UDP_BUFFER };
        const socket = await sockets.takeDatagram(address, wishes, this.#owner);
        const parts = { address, socket, wall: Date.now };
        return IN_BATCHES
          ? new UdpPlane({ ...parts, reactor })
          : new RuntimeUdpPlane({ ...parts, now: () => reactor.now });
      },
    );
    this.udp.push(lease);
  }

  /** With `tls`, DNS over TLS. */
  async takeStream(address: Address, options: SocketOptions, tls: boolean): Promise<void> {
    const { sockets, reactor, log, certificates } = this.#host;
    const owner = `${this.#owner}${tls ? " tls" : ""}`;
    const name = `dns ${tls ? "tls" : "tcp"} ${listenerName(address, owner)}`;
    const lease = await this.#take(
      name,
      async () =>
        new StreamPlane({
          address,
          socket: await sockets.take(address, options, owner),
          options,
          reactor,
          log,
          wall: Date.now,
          certificates: tls ? certificates : undefined,
        }),
    );
    this.streams.push(lease);
  }

  /** `udp 127.0.0.1:53`, with the ports that the kernel chose. */
  show(): string[] {
    return [...this.udp, ...this.streams].map(({ value }) => value.name);
  }

  /** Give back all shares; the last one closes. */
  async giveBack(): Promise<void> {
    const leases = [...this.udp.splice(0), ...this.streams.splice(0)];
    await Promise.all(leases.map((lease) => lease[Symbol.asyncDispose]()));
  }

  /** What is leased under a name is what was made under it. */
  #take<T extends Closable>(name: string, make: () => Promise<T>): Promise<Lease<T>> {
    return this.#host.leases.take(name, make) as Promise<Lease<T>>;
  }
}
