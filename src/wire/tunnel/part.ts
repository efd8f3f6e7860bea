import { fold, sum } from "./checksum.ts";
import type { Memory } from "./memory.ts";
import { GSO } from "./vnet.ts";

const IP6_HEADER = 40;
/** Where a TCP header has its flags. */
const TCP_FLAGS_AT = 13;
const FIN_PSH = 0x01 | 0x08;
const CWR = 0x80;

/** Which part of a cut packet is there. */
export interface Part {
  /** IP and TCP (or UDP) headers, and where the latter begin. */
  headers: number;
  sumStart: number;
  sumOffset: number;
  gso: number;
  /** First piece that is there, and bytes of payload before it. */
  first: number;
  before: number;
  /** Bytes of payload that are there. */
  payload: number;
  /** Is the last piece of the whole among them? */
  last: boolean;
}

/**
 * Make the headers at `at`, which are those of the whole, those of a part of it: as the kernel would
 * when it cuts. What is left of the checksum (the pseudo-header's sum) follows the length.
 */
export function fitHeaders({ bytes, view }: Memory, at: number, part: Part): void {
  const { sumStart, headers, payload } = part;
  const six = (bytes[at] as number) >>> 4 === 6;
  const length = headers + payload;
  const before = six ? view.getUint16(at + 4) + IP6_HEADER : view.getUint16(at + 2);
  if (six) view.setUint16(at + 4, length - IP6_HEADER);
  else {
    view.setUint16(at + 2, length);
    view.setUint16(at + 4, view.getUint16(at + 4) + part.first);
    view.setUint16(at + 10, 0);
    const own = Math.min(((bytes[at] as number) & 15) * 4, headers);
    view.setUint16(at + 10, ~sum(bytes, at, own) & 0xffff);
  }
  const layer4 = at + sumStart;
  if (part.gso === GSO.udp) view.setUint16(layer4 + 4, length - sumStart);
  else {
    view.setUint32(layer4 + 4, view.getUint32(layer4 + 4) + part.before);
    const flags = bytes[layer4 + TCP_FLAGS_AT] as number;
    const kept = (part.last ? 0xff : ~FIN_PSH) & (part.first === 0 ? 0xff : ~CWR);
    bytes[layer4 + TCP_FLAGS_AT] = flags & kept;
  }
  const field = layer4 + part.sumOffset;
  const was = (before - sumStart) & 0xffff;
  view.setUint16(field, fold(view.getUint16(field) + (length - sumStart) + (~was & 0xffff)));
}
