import type { Address } from "../core/address.ts";
import type { Lease } from "../core/lease.ts";
import type { SocketOptions } from "../core/socket-options.ts";
import type { LocalSockets } from "../net/local-sockets.ts";
import type { ListenSocket } from "../net/sockets.ts";
import type { DatagramOptions } from "../sys/datagram-socket.ts";

/** A socket on its way to a worker, which gives it back by its ticket. */
export interface Handed {
  readonly ticket: number;
  readonly fd: number;
  readonly port: number;
}

/** The supervisor's side of the listening sockets of one worker process. */
export class WorkerSockets {
  readonly #sockets: LocalSockets;
  readonly #slot: number;
  readonly #leases = new Map<number, Lease<ListenSocket>>();
  #last = 0;
  #released = false;

  constructor(sockets: LocalSockets, slot: number) {
    this.#sockets = sockets;
    this.#slot = slot;
  }

  /** Throws SysError as `LocalSockets.take` does. */
  async take(address: Address, options: SocketOptions): Promise<Handed> {
    return this.#keep(await this.#sockets.take(address, options, this.#slot));
  }

  /** Throws SysError as `LocalSockets.takeDatagram` does. */
  async takeDatagram(address: Address, options: DatagramOptions): Promise<Handed> {
    return this.#keep(await this.#sockets.takeDatagram(address, options, this.#slot));
  }

  async #keep(lease: Lease<ListenSocket>): Promise<Handed> {
    const ticket = ++this.#last;
    this.#leases.set(ticket, lease);
    if (this.#released) await this.release(); // the worker died while we were at it
    return { ticket, fd: lease.value.fd, port: lease.value.port };
  }

  async giveBack(ticket: number): Promise<void> {
    const lease = this.#leases.get(ticket);
    this.#leases.delete(ticket);
    await lease?.[Symbol.asyncDispose]();
  }

  /** Give back everything: when the worker is gone and another one has taken the same. */
  async release(): Promise<void> {
    this.#released = true;
    await Promise.all([...this.#leases.keys()].map((ticket) => this.giveBack(ticket)));
  }
}
