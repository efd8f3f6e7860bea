/**
 * A UDP datagram of a QUIC client, as far as it can be understood without keys (RFC 8999, 5):
 *
 *     long header   1xxx xxxx  version(4)  …
 *     short header  0xxx xxxx  …
 */

const LONG = 0x80;
/** A client's first datagram is padded to this; a server ignores a shorter one (RFC 9000, 14.1). */
export const MIN_FIRST = 1200;

/** May a connection begin with it? Otherwise it belongs to one that stands, or to none. */
export function mayBegin(bytes: Uint8Array, from: number, to: number): boolean {
  return to - from >= MIN_FIRST && ((bytes[from] ?? 0) & LONG) !== 0;
}
