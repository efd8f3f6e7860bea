/**
 * The payload of a handshake: twelve words, and the four that say what is being asked.
 *
 * A client asks (req 1, no cookie), is given a cookie, asks again with it (req -1) and is answered (req -1). Two
 * that meet halfway (rendezvous) both ask (req 0), go to -1 when they hear the other, and answer -1 by -2.
 */
import { Control, HEADER, putControl, putWord, word } from "./packet.ts";

export const HANDSHAKE = HEADER + 48;
export const VERSION = 4;
export const SocketType = { stream: 1, message: 2 } as const;
export const Ask = { rendezvous: 0, cookie: 1, connect: -1, met: -2, refused: 1002 } as const;

export type Handshake = {
  readonly version: number;
  readonly type: number;
  /** First sequence number. */
  readonly initial: number;
  readonly mss: number;
  /** Most packets on their way to the one who says it. */
  readonly window: number;
  /** See `Ask`; signed. */
  readonly ask: number;
  /** The socket of the one who says it. */
  readonly id: number;
  readonly cookie: number;
  /** The address of the one who is told, as it is seen: 16 bytes, see `wireAddress`. */
  readonly address: Uint8Array;
};

/** Reads the handshake packet `bytes[from..to)`, header included; undefined: it is too short to be one. */
export function parseHandshake(bytes: Uint8Array, from: number, to: number): Handshake | undefined {
  if (to - from < HANDSHAKE) return undefined;
  const at = from + HEADER;
  return {
    version: word(bytes, at),
    type: word(bytes, at + 4),
    initial: word(bytes, at + 8),
    mss: word(bytes, at + 12),
    window: word(bytes, at + 16),
    ask: word(bytes, at + 20) | 0,
    id: word(bytes, at + 24),
    cookie: word(bytes, at + 28),
    address: bytes.slice(at + 32, at + 48),
  };
}

/** Writes a handshake packet for socket `to` at `out[at..]`; returns its length. */
export function emitHandshake(
  hello: Handshake,
  time: number,
  to: number,
  out: Uint8Array,
  at: number,
): number {
  putControl(out, at, Control.handshake, 0, time, to);
  const words = [
    hello.version,
    hello.type,
    hello.initial,
    hello.mss,
    hello.window,
    hello.ask,
    hello.id,
    hello.cookie,
  ];
  words.forEach((value, i) => putWord(out, at + HEADER + 4 * i, value >>> 0));
  out.set(hello.address, at + HEADER + 32);
  return HANDSHAKE;
}

/** One line for logs and traces. */
export function showHandshake(hello: Handshake): string {
  return `handshake ask=${hello.ask} id=${hello.id} initial=${hello.initial} mss=${hello.mss} window=${hello.window}`;
}

/**
 * An address (4 or 16 bytes) as handshakes carry it: libudt swaps words that are in network order already, as
 * hosts with the little end first do, so 127.0.0.1 is 01 00 00 7f.
 */
export function wireAddress(address: Uint8Array): Uint8Array {
  const swapped = new Uint8Array(16);
  for (let i = 0; i < Math.min(16, address.length); i++)
    swapped[(i & ~3) + 3 - (i & 3)] = address[i]!;
  return swapped;
}
