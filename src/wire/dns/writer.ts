/** Writes an answer in place: the question as it came, records with compression, OPT last. */
import { Compression } from "./compression.ts";
import { COMPACT_OK, DNSSEC_OK, EDNS_VERSION, OPT_LENGTH } from "./edns.ts";
import { putRdata } from "./put-rdata.ts";
import { HEADER, type Query } from "./query.ts";
import { TYPE } from "./types.ts";

/** Header flags of an answer. */
export const FLAG = {
  QR: 0x8000,
  AA: 0x0400,
  TC: 0x0200,
  RD: 0x0100,
  RA: 0x0080,
  AD: 0x0020,
  CD: 0x0010,
} as const;

/** The section a record is added to; they are written in this order. */
export const SECTION = { ANSWER: 0, AUTHORITY: 1, ADDITIONAL: 2 } as const;
export type Section = 0 | 1 | 2;

/** The offset of the first name of a message, which a compressed owner points to. */
export const QNAME = HEADER;

/**
 * One message at a time into a caller's buffer. A method that adds something says whether there
 * was room: when false, nothing was written. Whoever must not send half an RRset marks before it
 * and goes back to the mark.
 *
 *     writer.begin(into, at, limit, bytes, query, FLAG.AA);
 *     writer.mark();
 *     if (!writer.add(SECTION.ANSWER, name, type, CLASS.IN, ttl, rdata)) {
 *       writer.rewind();
 *       writer.flag(FLAG.TC);
 *     }
 *     writer.beginOpt(SAFE_UDP_SIZE, RCODE.NOERROR, query.edns.do);
 *     writer.option(OPTION.COOKIE, cookie);
 *     writer.endOpt();
 *     const length = writer.end();
 */
export class MessageWriter {
  /** The caller's buffer; the message begins at `start`. */
  out: Uint8Array = new Uint8Array(HEADER);
  start = 0;
  /** Where the next byte goes. */
  at = HEADER;
  /** Where the message must end. */
  #limit = HEADER;
  #answers = 0;
  #authorities = 0;
  #additionals = 0;
  #optAt = 0;
  readonly #compression = new Compression();
  readonly #marks = new Int32Array(5);

  /** Whether later names agree with earlier ones in case too, as transfers want it. */
  set exactCase(on: boolean) {
    this.#compression.exactCase = on;
  }

  /**
   * Begin the answer to `query`, read from `bytes`: QR, its id, opcode, RD and CD, `flags` besides,
   * and its question. `limit` is where in `into` it must end.
   */
  begin(
    into: Uint8Array,
    start: number,
    limit: number,
    bytes: Uint8Array,
    query: Query,
    flags: number,
  ): void {
    const kept = query.flags & (0x7800 | FLAG.RD | FLAG.CD);
    this.beginMessage(into, start, limit, query.id, FLAG.QR | kept | flags);
    const end = query.questionEnd;
    if (end === 0 || this.at + end - query.qnameStart > this.#limit) return;
    for (let i = query.qnameStart; i < end; i++) into[this.at++] = bytes[i] as number;
    put16(into, start + 4, 1);
    this.#compression.begin(into, start, HEADER);
  }

  /** Begin a message without a question. */
  beginMessage(into: Uint8Array, start: number, limit: number, id: number, flags: number): void {
    this.out = into;
    this.start = start;
    this.at = start + HEADER;
    this.#limit = Math.min(limit, into.length);
    this.#answers = this.#authorities = this.#additionals = 0;
    this.#compression.begin(into, start, 0);
    put16(into, start, id);
    put16(into, start + 2, flags);
    for (let i = 4; i < HEADER; i++) into[start + i] = 0;
  }

  /** The question of a message that is not an answer. */
  question(name: Uint8Array, type: number, klass: number): boolean {
    const end = this.#compression.write(name, 0, this.at, this.#limit - 4);
    if (end < 0) return false;
    put16(this.out, end, type);
    put16(this.out, end + 2, klass);
    this.at = end + 4;
    put16(
      this.out,
      this.start + 4,
      (((this.out[this.start + 4] as number) << 8) | (this.out[this.start + 5] as number)) + 1,
    );
    return true;
  }

  /** A record with the owner `name`; its rdata's names are compressed where RFC 3597 lets them be. */
  add(
    section: Section,
    name: Uint8Array,
    type: number,
    klass: number,
    ttl: number,
    rdata: Uint8Array,
  ): boolean {
    const { count } = this.#compression;
    const end = this.#compression.write(name, 0, this.at, this.#limit - 10);
    return end >= 0 && this.#body(section, end, type, klass, ttl, rdata, 0, rdata.length, count);
  }

  /**
   * A record whose owner is the name at the offset `owner` of this message (`QNAME`: as asked),
   * with the rdata between `from` and `to`.
   */
  addAt(
    section: Section,
    owner: number,
    type: number,
    klass: number,
    ttl: number,
    rdata: Uint8Array,
    from = 0,
    to: number = rdata.length,
  ): boolean {
    if (this.at + 12 > this.#limit) return false;
    put16(this.out, this.at, 0xc000 | owner);
    return this.#body(
      section,
      this.at + 2,
      type,
      klass,
      ttl,
      rdata,
      from,
      to,
      this.#compression.count,
    );
  }

  /** Remember this place. There is one mark; a later call moves it. */
  mark(): void {
    this.#marks[0] = this.at;
    this.#marks[1] = this.#answers;
    this.#marks[2] = this.#authorities;
    this.#marks[3] = this.#additionals;
    this.#marks[4] = this.#compression.count;
  }

  /** Back to the mark, as if nothing had been added since. */
  rewind(): void {
    this.at = this.#marks[0] as number;
    this.#answers = this.#marks[1] as number;
    this.#authorities = this.#marks[2] as number;
    this.#additionals = this.#marks[3] as number;
    this.#compression.forget(this.#marks[4] as number);
  }

  /** Set `flags` besides those that are set. */
  flag(flags: number): void {
    put16(this.out, this.start + 2, get16(this.out, this.start + 2) | flags);
  }

  /** The low four bits of the rcode; the others belong to OPT. */
  rcode(rcode: number): void {
    const at = this.start + 3;
    this.out[at] = ((this.out[at] as number) & 0xf0) | (rcode & 15);
  }

  /** Records of a section so far. */
  count(section: Section): number {
    if (section === SECTION.ANSWER) return this.#answers;
    return section === SECTION.AUTHORITY ? this.#authorities : this.#additionals;
  }

  /** Begin OPT with our size, the whole `rcode` and DO. */
  beginOpt(
    udpSize: number,
    rcode: number,
    dnssecOk: boolean,
    compact = false,
    version: number = EDNS_VERSION,
  ): boolean {
    this.#optAt = 0;
    if (this.at + OPT_LENGTH > this.#limit) return false;
    const { out } = this;
    this.#optAt = this.at;
    out[this.at] = 0;
    put16(out, this.at + 1, TYPE.OPT);
    put16(out, this.at + 3, udpSize);
    out[this.at + 5] = rcode >>> 4;
    out[this.at + 6] = version;
    put16(out, this.at + 7, (dnssecOk ? DNSSEC_OK : 0) | (compact ? COMPACT_OK : 0));
    this.at += OPT_LENGTH;
    this.rcode(rcode);
    return true;
  }

  /** An option of OPT. */
  option(code: number, bytes: Uint8Array): boolean {
    const { out, at } = this;
    const { length } = bytes;
    if (this.#optAt === 0 || at + 4 + length > this.#limit) return false;
    put16(out, at, code);
    put16(out, at + 2, length);
    out.set(bytes, at + 4);
    this.at += 4 + length;
    return true;
  }

  /** No option comes any more. */
  endOpt(): void {
    if (this.#optAt === 0) return;
    put16(this.out, this.#optAt + 9, this.at - this.#optAt - OPT_LENGTH);
    this.#additionals++;
  }

  /** Write the counts; the message is between `start` and here, this many bytes. */
  end(): number {
    const { out, start } = this;
    put16(out, start + 6, this.#answers);
    put16(out, start + 8, this.#authorities);
    put16(out, start + 10, this.#additionals);
    return this.at - start;
  }

  /** Type to rdata behind an owner that ends at `at`; `known` is what to go back to. */
  #body(
    section: Section,
    at: number,
    type: number,
    klass: number,
    ttl: number,
    rdata: Uint8Array,
    from: number,
    to: number,
    known: number,
  ): boolean {
    const { out } = this;
    const limit = this.#limit;
    const end =
      at + 10 <= limit
        ? putRdata(this.#compression, type, rdata, from, to, out, at + 10, limit)
        : -1;
    if (end < 0) {
      this.#compression.forget(known);
      return false;
    }
    put16(out, at, type);
    put16(out, at + 2, klass);
    put16(out, at + 4, ttl >>> 16);
    put16(out, at + 6, ttl & 0xffff);
    put16(out, at + 8, end - at - 10);
    this.at = end;
    this.#add(section);
    return true;
  }

  #add(section: Section): void {
    if (section === SECTION.ANSWER) this.#answers++;
    else if (section === SECTION.AUTHORITY) this.#authorities++;
    else this.#additionals++;
  }
}

function get16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
}

function put16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8;
  bytes[at + 1] = value;
}
