import { fold } from "./checksum.ts";
import type { Memory } from "./memory.ts";

const TCP = 6;
const IP6_HEADER = 40;
const TCP_HEADER = 20;
const FLAGS_AT = 13;
const SUM_AT = 16;
const SYN = 0x02;
const END = 0;
const NOTHING = 1;
const MSS = 2;

/**
 * Should the IP packet of `length` bytes at `at` open a TCP connection, it asks for no segments that
 * do not fit into `mtu` (RFC 6691). `partial`: its checksum is still to be made, and so needs no
 * change. True when there was something to change.
 */
export function clampMss(
  { bytes, view }: Memory,
  at: number,
  length: number,
  mtu: number,
  partial: boolean,
): boolean {
  const first = bytes[at] as number;
  const six = first >>> 4 === 6;
  const header = six ? IP6_HEADER : (first & 15) * 4;
  // IPv6 extension headers are rare in front of TCP: those connections find out by themselves.
  if (length < header + TCP_HEADER || bytes[at + (six ? 6 : 9)] !== TCP) return false;
  // Not the first of its fragments: what is there is no header.
  if (!six && (view.getUint16(at + 6) & 0x1fff) !== 0) return false;
  const tcp = at + header;
  if (((bytes[tcp + FLAGS_AT] as number) & SYN) === 0) return false;
  const most = mtu - header - TCP_HEADER;
  const end = Math.min(at + length, tcp + ((bytes[tcp + 12] as number) >>> 4) * 4);
  for (let i = tcp + TCP_HEADER; i < end;) {
    const kind = bytes[i] as number;
    if (kind === END) return false;
    if (kind === NOTHING) {
      i++;
      continue;
    }
    const size = i + 1 < end ? (bytes[i + 1] as number) : 0;
    if (size < 2 || i + size > end) return false;
    if (kind === MSS && size === 4) {
      const asked = view.getUint16(i + 2);
      if (asked <= most) return false;
      view.setUint16(i + 2, most);
      if (!partial) adjust(view, tcp + SUM_AT, i + 2 - tcp, asked, most);
      return true;
    }
    i += size;
  }
  return false;
}

/** RFC 1624, 3: the checksum after a word has become another; at an odd place its bytes are swapped. */
function adjust(view: DataView, sumAt: number, offset: number, was: number, is: number): void {
  const swap = (word: number): number => ((word & 255) << 8) | (word >>> 8);
  const [before, after] = offset % 2 === 0 ? [was, is] : [swap(was), swap(is)];
  const sum = fold((~view.getUint16(sumAt) & 0xffff) + (~before & 0xffff) + after);
  view.setUint16(sumAt, ~sum & 0xffff);
}
