import type { Memory } from "./memory.ts";

/** Flows are told apart by so many numbers; two that share one wait for one another, and that is all. */
export const FLOWS = 4096;
/** Of packets that need not wait for any other. */
export const UNORDERED = 0xffff;

const IP4_HEADER = 20;
const IP6_HEADER = 40;
const TCP = 6;
const UDP = 17;
const TCP_HEADER = 20;
const SYN_FIN_RST = 0x07;
/** Both parts of a fragment's place: such a packet has no ports, or is followed by some that have none. */
const FRAGMENT = 0x3fff;

/**
 * Which flow the packet in `length` bytes at `at` belongs to: below FLOWS; or UNORDERED for an
 * acknowledgement of TCP without data, which says all that those before it said.
 */
export function flowOf({ bytes, view }: Memory, at: number, length: number): number {
  const six = length >= IP6_HEADER && (bytes[at] as number) >>> 4 === 6;
  if (length < IP4_HEADER) return 0;
  const protocol = bytes[at + (six ? 6 : 9)] as number; // within the header
  const own = six ? IP6_HEADER : ((bytes[at] as number) & 15) * 4;
  let hash = protocol;
  for (let i = six ? 8 : 12; i < (six ? IP6_HEADER : IP4_HEADER); i += 4)
    hash = mix(hash, view.getUint32(at + i));
  const whole = six || (view.getUint16(at + 6) & FRAGMENT) === 0;
  if (whole && (protocol === TCP || protocol === UDP) && own + 8 <= length) {
    hash = mix(hash, view.getUint32(at + own));
    if (protocol === TCP && own + TCP_HEADER <= length) {
      const header = ((bytes[at + own + 12] as number) >>> 4) * 4;
      const flags = bytes[at + own + 13] as number;
      if (own + header >= length && (flags & SYN_FIN_RST) === 0) return UNORDERED;
    }
  }
  return (hash ^ (hash >>> 12) ^ (hash >>> 24)) & (FLOWS - 1);
}

function mix(hash: number, word: number): number {
  const mixed = Math.imul(hash ^ word, 0x9e37_79b1);
  return (mixed ^ (mixed >>> 15)) >>> 0;
}
