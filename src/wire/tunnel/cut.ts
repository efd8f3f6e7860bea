import type { Memory } from "./memory.ts";
import { AT, KIND, MAX_HEADERS, MIN_PACKET, TRAILER } from "./plaintext.ts";
import { GSO, GSO_ECN, NEEDS_CHECKSUM, VNET_HEADER } from "./vnet.ts";

const UDP_HEADER = 8;
const TCP_HEADER = 20;
/** Where a TCP header says how long it is, in words of four bytes, in the upper half of the byte. */
const TCP_OFFSET_AT = 12;

/**
 * Makes plaintexts of packets as a TUN device gives them: small ones whole, uncut ones in pieces.
 * One packet at a time; nothing is allocated.
 */
export class Cutter {
  /** Bytes that a plaintext may have: what the path carries, without all that is around it. */
  room: number;
  readonly #memory: Memory;
  #frame = 0;
  #gso = 0;
  /** Words of the trailer that all pieces have: kind, gso and frame; headers and size; the sum's place. */
  #what = 0;
  #shape = 0;
  #sums = 0;
  #packet = 0;
  #end = 0;
  #headers = 0;
  #size = 0;
  #count = 0;
  #sumStart = 0;
  #sumOffset = 0;

  constructor(memory: Memory, room: number) {
    this.#memory = memory;
    this.room = room;
  }

  /**
   * How many datagrams the `length` bytes at `at` make, a virtio_net_hdr in front of them; 0 when
   * they are no packet, or one too long for the path that must not be cut.
   */
  begin(at: number, length: number): number {
    const { bytes, view } = this.#memory;
    if (length < VNET_HEADER + MIN_PACKET) return 0;
    const gso = bytes[at + 1] as number; // within `length`
    const partial = ((bytes[at] as number) & NEEDS_CHECKSUM) !== 0;
    const whole = length - VNET_HEADER;
    this.#sumStart = partial ? view.getUint16(at + 6, true) : 0;
    this.#sumOffset = partial ? view.getUint16(at + 8, true) : 0;
    if (this.#sumStart + this.#sumOffset + 2 > whole) return 0;
    this.#packet = at + VNET_HEADER;
    this.#end = at + length;
    this.#gso = gso;
    return gso === GSO.none ? this.#whole(whole) : this.#pieces(view.getUint16(at + 4, true));
  }

  /**
   * Write the plaintext of the `index`-th datagram to `to`: apart from the packet, or where the only
   * one of a whole packet stands. Its length.
   */
  piece(index: number, to: number): number {
    const { bytes, view } = this.#memory;
    const headers = this.#headers;
    const from = this.#packet + headers + index * this.#size;
    const body = Math.min(this.#size, this.#end - from);
    if (to !== from) bytes.copyWithin(to, from, from + body);
    if (headers > 0) bytes.copyWithin(to + body, this.#packet, this.#packet + headers);
    const at = to + body + headers;
    // Four words are a third of the work of nine fields.
    view.setUint32(at, this.#what);
    view.setUint32(at + AT.index, (index << 16) | this.#count);
    view.setUint32(at + AT.headers, this.#shape);
    view.setUint32(at + AT.sumStart, this.#sums);
    return body + headers + TRAILER;
  }

  #whole(length: number): number {
    if (length + TRAILER > this.room) return 0;
    this.#headers = 0;
    this.#size = length;
    this.#count = 1;
    this.#label(KIND.packet, 0);
    return 1;
  }

  #label(kind: number, frame: number): void {
    this.#what = (kind << 24) | (this.#gso << 16) | frame;
    this.#shape = (this.#headers << 16) | this.#size;
    this.#sums = (this.#sumStart << 16) | this.#sumOffset;
  }

  /** `wanted` bytes in each piece; TCP does not mind fewer, datagrams of UDP stay what they are. */
  #pieces(wanted: number): number {
    const start = this.#sumStart;
    if (start < MIN_PACKET || wanted === 0) return 0;
    const tcp = (this.#gso & ~GSO_ECN) === GSO.tcp4 || (this.#gso & ~GSO_ECN) === GSO.tcp6;
    if (!tcp && this.#gso !== GSO.udp) return 0;
    const layer4 = this.#packet + start;
    if (layer4 + TCP_OFFSET_AT >= this.#end) return 0;
    const own = tcp
      ? ((this.#memory.bytes[layer4 + TCP_OFFSET_AT] as number) >>> 4) * 4
      : UDP_HEADER;
    if (tcp && own < TCP_HEADER) return 0;
    const headers = start + own;
    const payload = this.#end - this.#packet - headers;
    const room = this.room - TRAILER - headers;
    if (headers > MAX_HEADERS || payload < 1 || room < 1) return 0;
    if (!tcp && wanted > room) return 0;
    this.#headers = headers;
    this.#size = Math.min(wanted, room);
    this.#count = Math.ceil(payload / this.#size);
    this.#frame = (this.#frame + 1) & 0xffff;
    this.#label(KIND.segment, this.#frame);
    return this.#count;
  }
}
