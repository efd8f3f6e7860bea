import { ipBytes } from "../../core/ip-bytes.ts";
import { parseIp } from "../../core/ip.ts";

/** How a question came, and what is known of who asks. One object per listener, filled anew for each question. */
export interface Via {
  readonly transport: Transport;
  /** The client's address as the packet says it: 4 bytes or 16. Reused: copy what is kept. */
  client: Uint8Array;
  /** The client's port, where it has one. */
  port: number;
  /** Bytes the answer may have, whatever the client would take. */
  room: number;
  /** Milliseconds of the monotonic clock. */
  now: number;
  /** Milliseconds since 1970. */
  wall: number;
}

export type Transport = "udp" | "tcp" | "tls" | "https";

/** Every transport, in the order of their numbers in tables. */
export const TRANSPORTS: readonly Transport[] = ["udp", "tcp", "tls", "https"];

/** What `Answerer.respond` says instead of a length: the answer is a transfer, of many messages. */
export const TRANSFER = -1;

/** Messages of one answer, one after the other; only over a stream. */
export interface Transfer {
  /** Write the next message into `into` from `at` on; its length, 0 when there is none left. */
  next(into: Uint8Array, at: number): number;
}

/** What listeners ask. */
export interface Answerer {
  /**
   * Answer the message between `from` and `to` of `bytes`: bytes written into `into` from `at` on,
   * at most `via.room`; 0 is to say nothing; TRANSFER to go on with `transfer`.
   */
  respond(
    bytes: Uint8Array,
    from: number,
    to: number,
    via: Via,
    into: Uint8Array,
    at: number,
  ): number;
  /** The transfer that the last `respond` has promised. */
  transfer(): Transfer;
}

/** `Via.client` for an address as sockets report it; four zeros for what has none (unix). */
export function clientBytes(address: string): Uint8Array {
  const ip = parseIp(address);
  return (ip && ipBytes(ip, ip.version)) ?? new Uint8Array(4);
}
