/**
 * Sequence numbers of UDT: 31 bits that wrap (draft-gg-udt-03 §4). All of it is int32 arithmetic, since it is
 * done several times for every packet. A ring of 2^n slots is indexed by `seq & (2^n - 1)`, across the wrap too.
 */

const SEQ_MASK = 0x7fff_ffff;
/** Message numbers have 29 bits; 0 is nobody's, and libudt never sends the last one. */
const MESSAGE_LAST = 0x1fff_fffe;

/** The number after `seq`. */
export function next(seq: number): number {
  return (seq + 1) & SEQ_MASK;
}

/** `seq` moved by `by` packets, which may be negative. */
export function shift(seq: number, by: number): number {
  return (seq + by) & SEQ_MASK;
}

/** How far `a` is ahead of `b`, in packets; negative when it is behind. */
export function ahead(a: number, b: number): number {
  return ((a - b) << 1) >> 1;
}

/** The message number after `message`. */
export function nextMessage(message: number): number {
  return message >= MESSAGE_LAST ? 1 : message + 1;
}
