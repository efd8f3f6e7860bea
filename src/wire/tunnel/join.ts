import type { Memory } from "./memory.ts";
import { fitHeaders, type Part } from "./part.ts";
import { AT, KIND, MAX_HEADERS, MAX_PACKET, MIN_PACKET, TRAILER } from "./plaintext.ts";
import { GSO, NEEDS_CHECKSUM, VNET_HEADER } from "./vnet.ts";

/** In front of a run of bodies: what is written before them once it is known. */
const HEADROOM = VNET_HEADER + MAX_HEADERS;
/** Behind the last body: its headers and trailer, and the tag of the seal. */
const TAIL = MAX_HEADERS + TRAILER + 64;
/** Bytes that a Joiner needs: room for a longest run, twice, so that few have to move. */
export const JOIN_ROOM = 2 * (HEADROOM + MAX_PACKET + TAIL);

/** What `take` makes of a plaintext. */
export const TAKEN = { packet: 0, control: 1, malformed: 2 } as const;

/** A packet for the TUN device: its virtio_net_hdr is at `at`. */
export type Write = (at: number, length: number) => void;

/**
 * Makes packets for a TUN device of opened plaintexts. Pieces that come in a row become one packet,
 * which the kernel takes in one go; a piece that is missing ends it, and is the only one lost.
 * `flush` when no more are at hand: nothing waits here for what may come.
 */
export class Joiner {
  /** Where to open the next datagram: up to MAX_PACKET bytes. */
  next: number;
  readonly #memory: Memory;
  readonly #home: number;
  readonly #last: number;
  readonly #write: Write;
  /** Does the kernel here take UDP uncut? */
  readonly #udp: boolean;
  readonly #part: Part;
  #open = false;
  /** Is it made of whole datagrams, and not of pieces? */
  #datagrams = false;
  #body = 0;
  /** Words of the trailer that all its pieces have. */
  #what = 0;
  #shape = 0;
  #sums = 0;
  #index = 0;
  #count = 0;
  #size = 0;

  /** Uses JOIN_ROOM bytes of `memory` at `at`. */
  constructor(memory: Memory, at: number, { udp, write }: { udp: boolean; write: Write }) {
    this.#memory = memory;
    this.#home = at + HEADROOM;
    this.#last = at + JOIN_ROOM - MAX_PACKET - TAIL;
    this.next = this.#home;
    this.#udp = udp;
    this.#write = write;
    this.#part = {
      headers: 0,
      sumStart: 0,
      sumOffset: 0,
      gso: 0,
      first: 0,
      before: 0,
      payload: 0,
      last: false,
    };
  }

  /** `length` bytes of plaintext are at `next`. Of TAKEN; a control's body is left where it was. */
  take(length: number): number {
    if (length < TRAILER) return TAKEN.malformed;
    const trailer = this.next + length - TRAILER;
    if (this.#open && this.#continues(trailer, length - TRAILER)) return TAKEN.packet;
    const kind = this.#memory.bytes[trailer + AT.kind];
    if (kind === KIND.segment) return this.#segment(trailer, length - TRAILER);
    if (kind === KIND.packet) return this.#packet(trailer, length - TRAILER);
    return kind === KIND.control ? TAKEN.control : TAKEN.malformed;
  }

  /** Write what is there of a packet in pieces. */
  flush(): void {
    if (!this.#open) return;
    this.#open = false;
    const part = this.#part;
    const pieces = this.#index - part.first;
    part.payload = this.next - this.#body;
    part.last = this.#index === this.#count;
    const at = this.#body - part.headers;
    if (this.#datagrams ? pieces > 1 : pieces < this.#count) fitHeaders(this.#memory, at, part);
    const { headers, sumStart, sumOffset } = part;
    this.next = this.#home;
    if (pieces > 1)
      this.#emit(at, headers, part.gso, this.#size, sumStart, sumOffset, part.payload);
    else this.#emit(at, headers, GSO.none, 0, sumStart, sumOffset, part.payload);
  }

  /**
   * Is it the piece that comes next? Most are: the four words of its trailer are those of the piece
   * before but for the index, so nothing has to be looked at twice.
   */
  #continues(trailer: number, length: number): boolean {
    const { view } = this.#memory;
    const index = this.#index;
    const place = ((index << 16) | this.#count) >>> 0;
    if (view.getUint32(trailer + AT.index) !== place) return false;
    if (view.getUint32(trailer) !== this.#what) return false;
    if (view.getUint32(trailer + AT.headers) !== this.#shape) return false;
    if (view.getUint32(trailer + AT.sumStart) !== this.#sums) return false;
    const { headers, gso } = this.#part;
    const body = length - headers;
    const last = index + 1 === this.#count;
    if (last ? body < 1 || body > this.#size : body !== this.#size) return false;
    if (index >= this.#count || this.next + body - this.#body + headers > MAX_PACKET) return false;
    this.#index = index + 1;
    this.next += body;
    if (last || (gso === GSO.udp && !this.#udp)) this.flush();
    return true;
  }

  #packet(trailer: number, length: number): number {
    const { bytes, view } = this.#memory;
    const sumStart = view.getUint16(trailer + AT.sumStart);
    const sumOffset = view.getUint16(trailer + AT.sumOffset);
    if (length < MIN_PACKET || (sumStart > 0 && sumStart + sumOffset + 2 > length))
      return TAKEN.malformed;
    if (this.#udp && isDatagram(bytes, view, this.next, length, sumStart, sumOffset)) {
      this.#datagram(length, sumStart);
      return TAKEN.packet;
    }
    const at = this.next;
    this.flush();
    this.#emit(at, 0, GSO.none, 0, sumStart, sumOffset, length);
    return TAKEN.packet;
  }

  /** A datagram of UDP at `next`: with those before it, if they are alike and in a row. */
  #datagram(length: number, sumStart: number): void {
    const { bytes } = this.#memory;
    const headers = sumStart + UDP_HEADER;
    const body = length - headers;
    const part = this.#part;
    if (
      this.#open &&
      this.#datagrams &&
      headers === part.headers &&
      body > 0 && // one of nothing would get lost
      body <= this.#size &&
      this.#index < MAX_DATAGRAMS &&
      this.next + body - this.#body + headers <= MAX_PACKET &&
      follows(this.#memory, this.#body - headers, this.next, headers, this.#index)
    ) {
      bytes.copyWithin(this.next, this.next + headers, this.next + length);
      this.next += body;
      this.#index++;
    } else {
      let at = this.next;
      this.flush();
      if (at > this.#last) {
        bytes.copyWithin(this.#home, at, at + length);
        at = this.#home;
      }
      this.#open = this.#datagrams = true;
      this.#body = at + headers;
      this.#what = -1; // no piece follows it
      this.#index = 1;
      this.#size = body;
      part.headers = headers;
      part.sumStart = sumStart;
      part.sumOffset = UDP_SUM_AT;
      part.gso = GSO.udp;
      part.first = part.before = 0;
      this.next = at + length;
    }
    // Only the last may be shorter.
    if (body < this.#size || body === 0) this.flush();
  }

  #segment(trailer: number, length: number): number {
    const { bytes, view } = this.#memory;
    const gso = bytes[trailer + AT.gso] as number; // take() has looked how long it is
    const index = view.getUint16(trailer + AT.index);
    const count = view.getUint16(trailer + AT.count);
    const headers = view.getUint16(trailer + AT.headers);
    const size = view.getUint16(trailer + AT.size);
    const sumStart = view.getUint16(trailer + AT.sumStart);
    const sumOffset = view.getUint16(trailer + AT.sumOffset);
    const body = length - headers;
    const last = index + 1 === count;
    if (index >= count || body < 1 || (last ? body > size : body !== size)) return TAKEN.malformed;
    if (headers > MAX_HEADERS || sumStart < MIN_PACKET || !fits(gso, headers - sumStart, sumOffset))
      return TAKEN.malformed;
    if (index * size + headers > MAX_PACKET || headers + body > MAX_PACKET) return TAKEN.malformed;

    const part = this.#part;
    let at = this.next;
    this.flush();
    if (at > this.#last) {
      bytes.copyWithin(this.#home, at, at + body + headers);
      at = this.#home;
    }
    bytes.copyWithin(at - headers, at + body, at + body + headers);
    this.#open = true;
    this.#datagrams = false;
    this.#body = at;
    this.#what = view.getUint32(trailer);
    this.#shape = view.getUint32(trailer + AT.headers);
    this.#sums = view.getUint32(trailer + AT.sumStart);
    this.#index = index + 1;
    this.#count = count;
    this.#size = size;
    part.headers = headers;
    part.sumStart = sumStart;
    part.sumOffset = sumOffset;
    part.gso = gso;
    part.first = index;
    part.before = index * size;
    this.next = at + body;
    if (last || (gso === GSO.udp && !this.#udp)) this.flush();
    return TAKEN.packet;
  }

  /** Headers at `at`, then the payload. */
  #emit(
    at: number,
    headers: number,
    gso: number,
    size: number,
    sumStart: number,
    sumOffset: number,
    payload: number,
  ): void {
    const { bytes, view } = this.#memory;
    const start = at - VNET_HEADER;
    bytes[start] = sumStart > 0 ? NEEDS_CHECKSUM : 0;
    bytes[start + 1] = gso;
    view.setUint16(start + 2, headers, true);
    view.setUint16(start + 4, size, true);
    view.setUint16(start + 6, sumStart, true);
    view.setUint16(start + 8, sumOffset, true);
    this.#write(start, VNET_HEADER + headers + payload);
  }
}

/** As many as any kernel takes (UDP_MAX_SEGMENTS before 6.9). */
const MAX_DATAGRAMS = 64;
const UDP = 17;
const IP4_HEADER = 20;
const IP6_HEADER = 40;
/** Bytes of both ports of UDP. */
const PORTS = 4;

/** Is it UDP right behind a plain IP header, its checksum still to be made, and no fragment? */
function isDatagram(
  bytes: Uint8Array,
  view: DataView,
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
function follows({ view }: Memory, a: number, b: number, headers: number, n: number): boolean {
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

const TCP_SUM_AT = 16;
const UDP_SUM_AT = 6;
const TCP_HEADER = 20;
const UDP_HEADER = 8;

/** Is it a kind we know, with a header of a length it can have and the checksum where it belongs? */
function fits(gso: number, length: number, sumOffset: number): boolean {
  if (gso === GSO.udp) return length === UDP_HEADER && sumOffset === UDP_SUM_AT;
  const kind = gso & 0x7f;
  return (
    (kind === GSO.tcp4 || kind === GSO.tcp6) && length >= TCP_HEADER && sumOffset === TCP_SUM_AT
  );
}
