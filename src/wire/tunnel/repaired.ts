import { HEADER, IP_UDP, messageWord, Part, putWord, word } from "../udt/packet.ts";
import { CONTROL, TAIL } from "./fragment.ts";
import type { Memory } from "./memory.ts";
import { KIND, TRAILER } from "./plaintext.ts";

/**
 * Datagrams of UDT as plaintexts. Of those with data, nothing goes that both ends know anyway: each is a
 * message of its own, and there is nobody else on this path to speak to.
 *
 *     data      | part of a plaintext … | tail, 6 bytes | tag | sequence number | time |
 *     control   | UDT datagram … | kind 3 | ff ff | 0 0 0 | from, at 6 | to, at 10 | 0 0 |
 *
 * The tail is fragment.ts's, the last three are of 2, 4 and 4 bytes. `from` is the writer's conversation, a
 * random number, `to` the reader's as far as the writer knows; `tag` is made of both.
 */
export const FROM_AT = 6;
export const TO_AT = 10;
const TAG_AT = TAIL;
const SEQ_AT: number = TAIL + 2;
const TIME_AT: number = TAIL + 6;
/** So many bytes at the end of data are its time, and another one each time that it is sent; all others stay. */
export const TIME = 4;

/** What UDT adds to a message, in its own reckoning. */
export const UDT_AROUND: number = TAIL + HEADER + IP_UDP;
/** So much longer than with data of as many bytes is the plaintext of a UDT datagram of control. */
export const CONTROL_MORE: number = HEADER + TAIL;
/** UDT's own header stands in so many bytes in front of where a plaintext is written or was read to. */
export const IN_FRONT: number = HEADER;

const EVERY_DATA = messageWord(Part.solo, false, 1);

/** Which conversation data is of: 16 bits. */
export function tagOf(from: number, to: number): number {
  const mixed = Math.imul(from ^ Math.imul(to, 0x9e37_79b1), 0x85eb_ca6b);
  return (mixed ^ (mixed >>> 16)) & 0xffff;
}

/** Is the plaintext of `length` bytes at `at` UDT's control, and no data? */
export function isControl({ view }: Memory, at: number, length: number): boolean {
  return view.getUint16(at + length - TRAILER + 1) === CONTROL;
}

/** The sequence number of data, a plaintext of `length` bytes at `at`. */
export function seqOf({ view }: Memory, at: number, length: number): number {
  return view.getUint32(at + length - TRAILER + SEQ_AT);
}

/** When data, a plaintext of `length` bytes at `at`, was sent: by the sender's clock, µs. */
export function timeOf({ view }: Memory, at: number, length: number): number {
  return view.getUint32(at + length - TRAILER + TIME_AT);
}

/** The plaintext of data, `length` bytes at `at`, says from now on that it was sent at `time`. */
export function putTime({ view }: Memory, at: number, length: number, time: number): void {
  view.setUint32(at + length - TRAILER + TIME_AT, time);
}

/** UDT's datagram of `length` bytes, IN_FRONT before `at`, becomes a plaintext at `at`: its length. */
export function wrap(
  { bytes, view }: Memory,
  at: number,
  length: number,
  from: number,
  to: number,
): number {
  const udt = at - IN_FRONT;
  const seq = word(bytes, udt);
  if (seq >>> 31 === 0) {
    const tail = at + length - HEADER - TAIL;
    view.setUint16(tail + TAG_AT, tagOf(from, to));
    view.setUint32(tail + SEQ_AT, seq);
    view.setUint32(tail + TIME_AT, word(bytes, udt + 8));
    return length - HEADER - TAIL + TRAILER;
  }
  bytes.copyWithin(at, udt, udt + length);
  const trailer = at + length;
  bytes.fill(0, trailer, trailer + TRAILER);
  view.setUint32(trailer, ((KIND.repaired << 24) | (CONTROL << 8)) >>> 0);
  view.setUint32(trailer + FROM_AT, from);
  view.setUint32(trailer + TO_AT, to);
  return length + TRAILER;
}

/**
 * The plaintext of data, `length` bytes at `at`, becomes UDT's datagram for `socket`, IN_FRONT before `at`: its
 * length; 0 when it is not of the conversation with that `tag`.
 */
export function unwrapData(
  { bytes, view }: Memory,
  at: number,
  length: number,
  tag: number,
  socket: number,
): number {
  const tail = at + length - TRAILER;
  if (view.getUint16(tail + TAG_AT) !== tag) return 0;
  const udt = at - IN_FRONT;
  putWord(bytes, udt, view.getUint32(tail + SEQ_AT) & 0x7fff_ffff);
  putWord(bytes, udt + 4, EVERY_DATA);
  putWord(bytes, udt + 8, view.getUint32(tail + TIME_AT));
  putWord(bytes, udt + 12, socket);
  return HEADER + length - TRAILER + TAIL;
}
