import type { Memory } from "./memory.ts";
import { AT, KIND, MAX_HEADERS, MAX_PACKET, MIN_PACKET, TRAILER } from "./plaintext.ts";
import { GSO, GSO_ECN, NEEDS_CHECKSUM, VNET_HEADER } from "./vnet.ts";

export const UDP_HEADER = 8;
export const UDP_SUM_AT = 6;
const TCP_HEADER = 20;
const TCP_SUM_AT = 16;
/** Where a TCP header says how long it is, in words of four bytes, in the upper half of the byte. */
const TCP_OFFSET_AT = 12;

/** Is it a kind we know, with a layer 4 header of a length it can have and the checksum where it belongs? */
export function isUncut(gso: number, length: number, sumOffset: number): boolean {
  if (gso === GSO.udp) return length === UDP_HEADER && sumOffset === UDP_SUM_AT;
  const kind = gso & ~GSO_ECN;
  return (
    (kind === GSO.tcp4 || kind === GSO.tcp6) && length >= TCP_HEADER && sumOffset === TCP_SUM_AT
  );
}

/**
 * The packet of `length` bytes at `at`, a virtio_net_hdr in front of it, becomes one plaintext behind that
 * header, however long it is: nothing of it is cut, and what the header said is in the trailer. There must be
 * TRAILER bytes behind it. The plaintext's length; 0: it is no packet.
 */
export function whole({ bytes, view }: Memory, at: number, length: number): number {
  const packet = length - VNET_HEADER;
  if (packet < MIN_PACKET || packet > MAX_PACKET) return 0;
  const gso = bytes[at + 1] as number; // within `length`
  const partial = ((bytes[at] as number) & NEEDS_CHECKSUM) !== 0;
  const sumStart = partial ? view.getUint16(at + 6, true) : 0;
  const sumOffset = partial ? view.getUint16(at + 8, true) : 0;
  if (sumStart + sumOffset + 2 > packet) return 0;
  let headers = 0;
  let size = 0;
  if (gso !== GSO.none) {
    size = view.getUint16(at + 4, true);
    const layer4 = at + VNET_HEADER + sumStart;
    if (sumStart < MIN_PACKET || size === 0 || sumStart + TCP_OFFSET_AT >= packet) return 0;
    const own =
      gso === GSO.udp ? UDP_HEADER : ((bytes[layer4 + TCP_OFFSET_AT] as number) >>> 4) * 4;
    headers = sumStart + own;
    if (!isUncut(gso, own, sumOffset) || headers > MAX_HEADERS || headers >= packet) return 0;
  }
  const trailer = at + length;
  bytes.fill(0, trailer, trailer + TRAILER);
  bytes[trailer + AT.kind] = gso === GSO.none ? KIND.packet : KIND.uncut;
  bytes[trailer + AT.gso] = gso;
  view.setUint16(trailer + AT.headers, headers);
  view.setUint16(trailer + AT.size, size);
  view.setUint16(trailer + AT.sumStart, sumStart);
  view.setUint16(trailer + AT.sumOffset, sumOffset);
  return packet + TRAILER;
}
