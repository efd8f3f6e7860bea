import type { Lease } from "../core/lease.ts";
import type { LocalSockets, Share } from "../net/local-sockets.ts";
import type { ListenSocket } from "../net/sockets.ts";
import type { Requests } from "./messages.ts";

/** Sockets on their way to a worker, which gives them back by their ticket. */
export interface Handed {
  readonly ticket: number;
  readonly fds: readonly number[];
  readonly port: number;
}

/** The supervisor's side of the listening sockets of one worker process. */
export class WorkerSockets {
  readonly #sockets: LocalSockets;
  readonly #share: Share;
  readonly #leases = new Map<number, Lease<ListenSocket>>();
  #last = 0;
  #released = false;

  constructor(sockets: LocalSockets, share: Share) {
    this.#sockets = sockets;
    this.#share = share;
  }

  /** Throws SysError as `LocalSockets.take` does. */
  async take({ address, options, owner }: Requests["listen"]["ask"]): Promise<Handed> {
    return this.#keep(await this.#sockets.take(address, options, owner, this.#share));
  }

  /** Throws SysError as `LocalSockets.takeDatagram` does. */
  async takeDatagram({ address, options, owner }: Requests["datagrams"]["ask"]): Promise<Handed> {
    return this.#keep(await this.#sockets.takeDatagram(address, options, owner, this.#share));
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
