import type { Congestion } from "./congestion/congestion.ts";
import { UdtConnection, type UdtSettings } from "./connection.ts";

export type UdtAcceptOptions = UdtSettings & {
  /** A keyed hash of the peer (address and port, as the owner writes it) and of the minute; 32 bits. */
  readonly cookie: (peer: string, minute: number) => number;
  /** A new socket id: > 0, random, unused on this UDP socket. */
  readonly id: () => number;
  /** The congestion control of one connection. */
  readonly congestion: () => Congestion;
  /** Most connections at once; the next is refused. */
  readonly most: number;
};

/**
 * The listening end: datagrams for socket id 0. It remembers nothing of anybody who has not sent back the cookie
 * that went to his address.
 */
export class UdtAccept {
  constructor(options: UdtAcceptOptions) {
    void options;
  }

  /** The connection that the last `receive` made, once; undefined: it made none. Its first `poll` answers the peer. */
  take(): UdtConnection | undefined {
    throw new Error("not there yet");
  }
  /**
   * A datagram for id 0 from `peer`, whose address is `address` (4 or 16 bytes). Writes an answer to `out[at..]`
   * and says its length; 0: none. An answer is never longer than the question.
   */
  receive(
    bytes: Uint8Array,
    from: number,
    to: number,
    peer: string,
    address: Uint8Array,
    now: number,
    out: Uint8Array,
    at: number,
  ): number {
    void [bytes, from, to, peer, address, now, out, at];
    throw new Error("not there yet");
  }
  /** The connection is gone: its peer may connect anew, and counts no more. */
  forget(connection: UdtConnection): void {
    void connection;
  }
}
