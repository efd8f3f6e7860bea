import type { Address } from "../core/address.ts";
import type { Lease } from "../core/lease.ts";
import type { SocketOptions } from "../core/socket-options.ts";
import type { LocalSockets } from "../net/local-sockets.ts";
import type { ListenSocket } from "../net/sockets.ts";
import type { DatagramOptions } from "../sys/datagram-socket.ts";

/** Sockets on their way to a worker, which gives them back by their ticket. */
export interface Handed {
  readonly ticket: number;
  readonly fds: readonly number[];
  readonly port: number;
}

/** The supervisor's side of the listening sockets of one worker process. */
export class WorkerSockets {
  readonly #sockets: LocalSockets;
  readonly #slot: number;
  readonly #count: number;
  readonly #leases = new Map<number, Lease<ListenSocket>>();
  #last = 0;
  #released = false;

  /** For worker `slot` of `count`. */
  constructor(sockets: LocalSockets, slot: number, count: number) {
    this.#sockets = sockets;
    this.#slot = slot;
    this.#count = count;
  }

  /** Throws SysError as `LocalSockets.take` does. */
  async take(address: Address, options: SocketOptions): Promise<Handed> {
    return this.#keep(await this.#sockets.take(address, options, this.#slot, this.#count));
  }

  /** Throws SysError as `LocalSockets.takeDatagram` does. */
  async takeDatagram(address: Address, options: DatagramOptions): Promise<Handed> {
    return this.#keep(await this.#sockets.takeDatagram(address, options, this.#slot, this.#count));
  }

  async #keep(lease: Lease<ListenSocket>): Promise<Handed> {
    const ticket = ++this.#last;
    this.#leases.set(ticket, lease);
    if (this.#released) await this.release(); // the worker died while we were at it
    const { fds, port } = lease.value;
    return { ticket, fds, port };
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
