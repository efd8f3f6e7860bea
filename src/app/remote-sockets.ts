import type { Address } from "../core/address.ts";
import { type Lease, Leases } from "../core/lease.ts";
import type { SocketOptions } from "../core/socket-options.ts";
import { listenerName, type ListenSocket, type Sockets } from "../net/sockets.ts";
import type { DatagramOptions } from "../sys/datagram-socket.ts";
import { receiveFds } from "../sys/fd-passing.ts";
import { close } from "../sys/socket.ts";
import type { Channel } from "./channel.ts";
import type { Orders, Requests } from "./messages.ts";

/**
 * A worker's listening sockets, which are the supervisor's: it keeps each of them open, so that
 * what waits in a backlog outlives this process.
 */
export class RemoteSockets implements Sockets {
  readonly #channel: Channel<Requests, Orders>;
  /** The unix socket over which descriptors arrive. */
  readonly #sock: number;
  readonly #arrived = new Map<number, number[]>();
  readonly #leases = new Leases<ListenSocket>();

  constructor(channel: Channel<Requests, Orders>, sock: number) {
    this.#channel = channel;
    this.#sock = sock;
  }

  take(address: Address, options: SocketOptions, owner = ""): Promise<Lease<ListenSocket>> {
    // Other options are another share at the supervisor, which sets them on the same socket.
    const key = `${listenerName(address, owner)} ${JSON.stringify(options)}`;
    return this.#leases.take(key, async () =>
      this.#claimed(await this.#channel.call("listen", { address, options, owner })),
    );
  }

  takeDatagram(
    address: Address,
    options: DatagramOptions,
    owner = "",
  ): Promise<Lease<ListenSocket>> {
    return this.#leases.take(`udp ${listenerName(address, owner)}`, async () =>
      this.#claimed(await this.#channel.call("datagrams", { address, options, owner })),
    );
  }

  #claimed({ ticket, count, port }: Requests["listen"]["answer"]): ListenSocket {
    const fds = this.#claim(ticket, count);
    return {
      fds,
      port,
      close: async () => {
        for (const fd of fds) close(fd);
        await this.#channel.call("unlisten", { ticket }).catch(() => {}); // the supervisor is gone
      },
    };
  }

  /** The descriptors were sent before the answer that has the ticket, so they are here. */
  #claim(ticket: number, count: number): readonly number[] {
    for (;;) {
      const fds = this.#arrived.get(ticket) ?? [];
      if (fds.length === count) {
        this.#arrived.delete(ticket);
        return fds;
      }
      const next = receiveFds(this.#sock);
      if (next === "EAGAIN" || next === "closed") throw new Error(`no socket came (${next})`);
      const of = readTicket(next.payload);
      this.#arrived.set(of, [...(this.#arrived.get(of) ?? []), ...next.fds]);
    }
  }
}

/** Four bytes, big-endian. */
export function ticketBytes(ticket: number): Uint8Array {
  const bytes = new Uint8Array(new ArrayBuffer(4));
  new DataView(bytes.buffer).setUint32(0, ticket);
  return bytes;
}

function readTicket(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
}
