import { type Address, showAddress } from "../core/address.ts";
import type { Lease } from "../core/lease.ts";
import type { SocketOptions } from "../core/socket-options.ts";
import type { DatagramOptions } from "../sys/datagram-socket.ts";

/**
 * What a listener listens on. All of it is bound, non-blocking, close-on-exec: listening stream
 * sockets, or UDP sockets.
 */
export interface ListenSocket {
  /**
   * Read from all of them. The first is this worker's own; the others were those of workers that
   * are no more, and the kernel goes on giving each of them its part.
   */
  readonly fds: readonly number[];
  /** The port the kernel chose when the address said 0; 0 for unix sockets. */
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Where listening sockets come from: made here when this process is alone, asked from the
 * supervisor when it is a worker (so that a crash or an upgrade loses no connection in a backlog).
 */
export interface ListenSockets {
  take(address: Address, options: SocketOptions, owner?: string): Promise<Lease<ListenSocket>>;
}

/** The same for UDP: what waits in a socket's queue outlives the worker that reads it. */
export interface DatagramSockets {
  takeDatagram(
    address: Address,
    options: DatagramOptions,
    owner?: string,
  ): Promise<Lease<ListenSocket>>;
}

/** Where the sockets of a process come from. */
export type Sockets = ListenSockets & DatagramSockets;

/**
 * What a listener is leased by: its address. Port 0 is another port for everybody who asks for it,
 * so there it is the owner, too.
 */
export function listenerName(address: Address, owner: string): string {
  const at = showAddress(address);
  return address.kind === "tcp" && address.port === 0 && owner !== "" ? `${at} of ${owner}` : at;
}
