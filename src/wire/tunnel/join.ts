import { follows, isDatagram } from "./alike.ts";
import type { Memory } from "./memory.ts";
import { fitHeaders, type Part } from "./part.ts";
import { AT, KIND, MAX_HEADERS, MAX_PACKET, MIN_PACKET, TRAILER } from "./plaintext.ts";
import { isUncut, UDP_HEADER, UDP_SUM_AT } from "./uncut.ts";
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
    if (kind === KIND.uncut) return this.#uncut(trailer, length - TRAILER);
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
    const { view } = this.#memory;
    const sumStart = view.getUint16(trailer + AT.sumStart);
    const sumOffset = view.getUint16(trailer + AT.sumOffset);
    if (length < MIN_PACKET || (sumStart > 0 && sumStart + sumOffset + 2 > length))
      return TAKEN.malformed;
    if (this.#udp && isDatagram(this.#memory, this.next, length, sumStart, sumOffset)) {
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
    if (
      headers > MAX_HEADERS ||
      sumStart < MIN_PACKET ||
      !isUncut(gso, headers - sumStart, sumOffset)
    )
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

  /** A packet that nobody has cut. A kernel that does not take UDP uncut gets it in pieces. */
  #uncut(trailer: number, length: number): number {
    const { bytes, view } = this.#memory;
    const at = this.next;
    const gso = bytes[trailer + AT.gso] as number; // take() has looked how long it is
    const headers = view.getUint16(trailer + AT.headers);
    const size = view.getUint16(trailer + AT.size);
    const sumStart = view.getUint16(trailer + AT.sumStart);
    const sumOffset = view.getUint16(trailer + AT.sumOffset);
    if (length > MAX_PACKET || headers > MAX_HEADERS || headers >= length) return TAKEN.malformed;
    if (sumStart < MIN_PACKET || size === 0 || !isUncut(gso, headers - sumStart, sumOffset))
      return TAKEN.malformed;
    this.flush();
    if (gso !== GSO.udp || this.#udp) {
      this.#emit(at, headers, gso, size, sumStart, sumOffset, length - headers);
      return TAKEN.packet;
    }
    const kept = bytes.slice(at, at + headers);
    for (let before = 0, first = 0; before < length - headers; before += size, first++) {
      const payload = Math.min(size, length - headers - before);
      bytes.set(kept, at + before);
      const last = before + payload === length - headers;
      const part = { headers, sumStart, sumOffset, gso, first, before, payload, last };
      fitHeaders(this.#memory, at + before, part);
      this.#emit(at + before, headers, GSO.none, 0, sumStart, sumOffset, payload);
    }
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
