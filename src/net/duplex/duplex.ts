import type { AGAIN, GONE } from "../../sys/socket.ts";

/** A connection's bytes both ways, without waiting. Plain or TLS: whoever uses it need not know. */
export interface Duplex {
  /** Hears of what is new; set by whoever uses the connection, before anything else. */
  owner: DuplexOwner;
  /**
   * Bytes read to the beginning of `into`; 0 at the end of the stream; AGAIN: nothing is there, and
   * `readable` tells when there is more; GONE: the connection is broken.
   */
  read(into: Uint8Array): number;
  /** As `read`, without choosing where: what is answered is good until the next call only. */
  take(): Uint8Array | 0 | typeof AGAIN | typeof GONE;
  /** Whoever reads has no room for more: receive nothing until that is over. */
  hold(on: boolean): void;
  /** Bytes taken of `bytes[from, to)`, maybe fewer; AGAIN: none, and `writable` tells of room; GONE. */
  write(bytes: Uint8Array, from: number, to: number): number;
  /** No more will be written (FIN; close_notify before it); reading goes on. */
  finish(): void;
  /** Close: what is written goes out still. */
  close(): void;
  /** Close with a RST. */
  abort(): void;
}

export interface DuplexOwner {
  readable(): void;
  writable(): void;
  /** It is broken: neither reads nor writes will do any more. It is still to be closed. */
  broken(): void;
}

/** For the time before there is one. */
export const NOBODY: DuplexOwner = { readable() {}, writable() {}, broken() {} };
