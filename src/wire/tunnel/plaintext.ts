/**
 * What is inside one sealed datagram between two terns, before it is sealed. Everything of use
 * stands behind the body: so the receiver opens each datagram right behind the body before it, and
 * the bodies of a cut packet lie in a row without having been copied.
 *
 *     | body … | headers … | trailer, 16 bytes, big-endian |
 *
 *     0       1       2               4               6
 *     | kind  | gso   | frame         | index         | count         |
 *     | headers       | size          | sum start     | sum offset    |
 *     8               10              12              14
 *
 * - packet: the body is an IP packet. With `sum start` its checksum is still to be finished.
 * - segment: the body is the `index`-th piece, of `size` bytes unless it is the last, of the payload
 *   of a packet that the kernel left uncut; `headers` bytes of IP and TCP (or UDP) headers of the
 *   whole follow. So each piece makes a packet of its own, whatever becomes of the others.
 * - control: the body is a message of the tunnel itself (see probe.ts).
 * - repaired: a part of a plaintext like these, carried by UDT, or what UDT has to say (see repaired.ts).
 * - uncut: only inside of repaired ones: a packet that the kernel left uncut, as it is; `headers` bytes of it
 *   are headers, and it is to be cut into pieces of `size`.
 * - squeezed: a plaintext of `size` bytes like the first two, compressed by zlib, LZO or Zstandard: `gso` is
 *   1, 2 or 3.
 * - parity: what stands for one of several repaired ones, whichever gets lost (see parity.ts).
 *
 * Nothing at all is a keepalive.
 */
export const TRAILER = 16;

export const KIND = {
  packet: 0,
  segment: 1,
  control: 2,
  repaired: 3,
  squeezed: 4,
  uncut: 5,
  parity: 6,
} as const;

/** Longest headers that a segment carries: IPv4 and TCP with all their options have 120 bytes. */
export const MAX_HEADERS = 192;
/** Of any IP packet that is no jumbogram. */
export const MAX_PACKET = 65_535;
/** An IPv4 header without options; nothing shorter is a packet. */
export const MIN_PACKET = 20;

/** Where the fields of the trailer are. */
export const AT = {
  kind: 0,
  gso: 1,
  frame: 2,
  index: 4,
  count: 6,
  headers: 8,
  size: 10,
  sumStart: 12,
  sumOffset: 14,
} as const;
