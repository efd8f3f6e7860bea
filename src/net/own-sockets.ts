import type { Address } from "../core/address.ts";
import type { Lease } from "../core/lease.ts";
import type { SocketOptions } from "../core/socket-options.ts";
import type { DatagramOptions } from "../sys/datagram-socket.ts";
import { duplicate } from "../sys/duplicate.ts";
import { close } from "../sys/socket.ts";
import type { ListenSocket, Sockets } from "./sockets.ts";

/**
 * The same sockets, with descriptors of his own for everybody who takes them: when an address goes
 * from one service to another, the new one begins to read before the old one has left.
 */
export class OwnSockets implements Sockets {
  readonly #sockets: Sockets;

  constructor(sockets: Sockets) {
    this.#sockets = sockets;
  }

  async take(
    address: Address,
    options: SocketOptions,
    owner?: string,
  ): Promise<Lease<ListenSocket>> {
    return owned(await this.#sockets.take(address, options, owner));
  }

  async takeDatagram(
    address: Address,
    options: DatagramOptions,
    owner?: string,
  ): Promise<Lease<ListenSocket>> {
    return owned(await this.#sockets.takeDatagram(address, options, owner));
  }
}

/** Throws SysError when there are no descriptors left; the lease is given back then. */
async function owned(lease: Lease<ListenSocket>): Promise<Lease<ListenSocket>> {
  const fds: number[] = [];
  let ended: Promise<void> | undefined;
  const giveBack = async (): Promise<void> => {
    for (const fd of fds) close(fd);
    await lease[Symbol.asyncDispose]();
  };
  const end = (): Promise<void> => (ended ??= giveBack());
  try {
    for (const fd of lease.value.fds) fds.push(duplicate(fd));
  } catch (failed) {
    await end();
    throw failed;
  }
  return { value: { fds, port: lease.value.port, close: end }, [Symbol.asyncDispose]: end };
}
