import { FIRST_OVERHEAD, SECOND_OVERHEAD } from "./ik.ts";
import type { Protocol } from "./protocol.ts";
import { TIMESTAMP } from "./timestamp.ts";

/**
 * The four messages (WireGuard, 5.4). Numbers are little-endian; indices are chosen by whoever is to
 * receive them.
 *
 *     1 initiation  [1 0 0 0][sender][first message: timestamp, offer][mac1 16][mac2 16]
 *     2 response    [2 0 0 0][sender][receiver][second message: offer][mac1 16][mac2 16]
 *     3 cookie      [3 0 0 0][receiver][nonce 24][cookie 16+16]
 *     4 data        [4 0 0 0][receiver][counter 8][packet +16]
 */
export type Kind = "initiation" | "response" | "cookie" | "data";

/** Bytes of each of the two MACs at the end of the first two. */
export const MAC = 16;
/** Bytes in front of a sealed packet. */
export const DATA_HEADER = 16;

const INITIATION_HEADER = 8;
const RESPONSE_HEADER = 12;
const COOKIE_REPLY = 4 + 4 + 24 + 16 + 16;
const MIN_DATA = DATA_HEADER + 16;

/** What a datagram could be, by its first four bytes and its length. Undefined: drop it. */
export function kindOf(bytes: Uint8Array, protocol: Protocol): Kind | undefined {
  if (bytes[1] !== 0 || bytes[2] !== 0 || bytes[3] !== 0) return undefined;
  const { length } = bytes;
  const [type = 0] = bytes;
  switch (type) {
    case 1:
      return length === initiationSize(protocol) ? "initiation" : undefined;
    case 2:
      return length === responseSize(protocol) ? "response" : undefined;
    case 3:
      return length === COOKIE_REPLY ? "cookie" : undefined;
    case 4:
      return length >= MIN_DATA ? "data" : undefined;
    default:
      return undefined;
  }
}

/** Bytes of a whole initiation: WireGuard's 148. */
export function initiationSize({ offer }: Protocol): number {
  return INITIATION_HEADER + FIRST_OVERHEAD + TIMESTAMP + offer + 2 * MAC;
}

/** Bytes of a whole response: WireGuard's 92. */
export function responseSize({ offer }: Protocol): number {
  return RESPONSE_HEADER + SECOND_OVERHEAD + offer + 2 * MAC;
}

/** An initiation without its MACs: they are to be written. */
export function emitInitiation(sender: number, first: Uint8Array): Uint8Array {
  return emit(1, [sender], first, 2 * MAC);
}

/** A response without its MACs. */
export function emitResponse(sender: number, receiver: number, second: Uint8Array): Uint8Array {
  return emit(2, [sender, receiver], second, 2 * MAC);
}

export function emitCookie(receiver: number, nonce: Uint8Array, cookie: Uint8Array): Uint8Array {
  const bytes = emit(3, [receiver], nonce, cookie.length);
  bytes.set(cookie, 8 + nonce.length);
  return bytes;
}

/** Whoever wants to be answered: of an initiation or a response. */
export function senderOf(bytes: Uint8Array): number {
  return viewOf(bytes).getUint32(4, true);
}

/** Whom it is for: of a response, a cookie or data. */
export function receiverOf(bytes: Uint8Array): number {
  return viewOf(bytes).getUint32(bytes[0] === 2 ? 8 : 4, true);
}

/** The first message of the handshake in an initiation. */
export function firstOf(bytes: Uint8Array): Uint8Array {
  return bytes.subarray(INITIATION_HEADER, bytes.length - 2 * MAC);
}

/** The second message of the handshake in a response. */
export function secondOf(bytes: Uint8Array): Uint8Array {
  return bytes.subarray(RESPONSE_HEADER, bytes.length - 2 * MAC);
}

/** The parts of a cookie reply. */
export function cookieOf(bytes: Uint8Array): { nonce: Uint8Array; sealed: Uint8Array } {
  return { nonce: bytes.subarray(8, 32), sealed: bytes.subarray(32) };
}

/**
 * The counter of a data message, lowest byte first unless `highFirst`; one that no number can hold
 * exactly is Infinity, which no window takes.
 */
export function counterAt(view: DataView, at: number, highFirst = false): number {
  const high = view.getUint32(highFirst ? at : at + 4, !highFirst);
  const low = view.getUint32(highFirst ? at + 4 : at, !highFirst);
  return high < 2 ** 21 ? high * 2 ** 32 + low : Infinity;
}

function emit(
  type: number,
  indices: readonly number[],
  body: Uint8Array,
  more: number,
): Uint8Array {
  const head = 4 + 4 * indices.length;
  const bytes = new Uint8Array(head + body.length + more);
  const view = viewOf(bytes);
  view.setUint32(0, type, true);
  for (const [i, index] of indices.entries()) view.setUint32(4 + 4 * i, index, true);
  bytes.set(body, head);
  return bytes;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
