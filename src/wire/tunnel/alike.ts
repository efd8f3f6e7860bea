import type { Memory } from "./memory.ts";
import { UDP_HEADER, UDP_SUM_AT } from "./uncut.ts";

const UDP = 17;
const IP4_HEADER = 20;
const IP6_HEADER = 40;
/** Bytes of both ports of UDP. */
const PORTS = 4;

/** Is it UDP right behind a plain IP header, its checksum still to be made, and no fragment? */
export function isDatagram(
  { bytes, view }: Memory,
  at: number,
  length: number,
  sumStart: number,
  sumOffset: number,
): boolean {
  if (sumOffset !== UDP_SUM_AT || length < sumStart + UDP_HEADER) return false;
  if (bytes[at] === 0x45)
    return (
      sumStart === IP4_HEADER &&
      bytes[at + 9] === UDP &&
      (view.getUint16(at + 6) & 0x3fff) === 0 &&
      view.getUint16(at + 2) === length
    );
  return (
    (bytes[at] as number) >>> 4 === 6 &&
    sumStart === IP6_HEADER &&
    bytes[at + 6] === UDP &&
    view.getUint16(at + 4) === length - IP6_HEADER
  );
}

/** Is the packet at `b` what a kernel would have made as number `n` of the one that begins at `a`? */
export function follows(
  { view }: Memory,
  a: number,
  b: number,
  headers: number,
  n: number,
): boolean {
  // All but lengths and checksums is the same; and over IPv4 the number of the packet goes on.
  if (headers === IP6_HEADER + UDP_HEADER) {
    if (view.getUint32(a) !== view.getUint32(b)) return false;
    if (view.getUint16(a + 6) !== view.getUint16(b + 6)) return false;
    return isSame(view, a + 8, b + 8, IP6_HEADER + PORTS - 8);
  }
  if (view.getUint16(a) !== view.getUint16(b)) return false;
  if (((view.getUint16(a + 4) + n) & 0xffff) !== view.getUint16(b + 4)) return false;
  if (view.getUint32(a + 6) !== view.getUint32(b + 6)) return false;
  return isSame(view, a + 12, b + 12, IP4_HEADER + PORTS - 12);
}

/** Are `length` bytes, a multiple of four, the same at both places? */
function isSame(view: DataView, a: number, b: number, length: number): boolean {
  for (let i = 0; i < length; i += 4)
    if (view.getUint32(a + i) !== view.getUint32(b + i)) return false;
  return true;
}
