/** Whole messages as values: transfers, the client, probes, tests. The server's own path is `readQuery`. */
import { COMPACT_OK, DNSSEC_OK, MIN_UDP_SIZE } from "./edns.ts";
import { readName } from "./name.ts";
import { HEADER } from "./query.ts";
import { checkRdata } from "./rdata/check.ts";
import { decompress } from "./rdata/decompress.ts";
import type { Rr } from "./rr.ts";
import { TYPE } from "./types.ts";
import { FLAG, MessageWriter, SECTION } from "./writer.ts";

export interface Question {
  /** Wire form, case kept. */
  readonly name: Uint8Array;
  readonly type: number;
  readonly class: number;
}

export interface EdnsOption {
  readonly code: number;
  readonly data: Uint8Array;
}

/** The OPT record (RFC 6891); its part of the rcode is in the message's. */
export interface Edns {
  readonly udpSize: number;
  readonly version: number;
  readonly do: boolean;
  /** Compact answers wanted (RFC 9824, 5.1). */
  readonly compact: boolean;
  readonly options: readonly EdnsOption[];
}

export interface Message {
  readonly id: number;
  /** `FLAG.*` together: QR, AA, TC, RD, RA, AD, CD. */
  readonly flags: number;
  readonly opcode: number;
  /** Twelve bits when there is EDNS. */
  readonly rcode: number;
  readonly questions: readonly Question[];
  readonly answers: readonly Rr[];
  readonly authorities: readonly Rr[];
  /** Without OPT; a TSIG is the last. */
  readonly additionals: readonly Rr[];
  readonly edns?: Edns | undefined;
}

const ALL_FLAGS = FLAG.QR | FLAG.AA | FLAG.TC | FLAG.RD | FLAG.RA | FLAG.AD | FLAG.CD;
/** A question of the root, and a record of it without rdata: what a count is measured against. */
const LEAST_QUESTION = 5;
const LEAST_RECORD = 11;

/**
 * Read a whole message. Undefined when anything overruns, a name is wrong, rdata is not its
 * type's, there are two OPT records, or bytes are left.
 */
export function decodeMessage(bytes: Uint8Array): Message | undefined {
  if (bytes.length < HEADER) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const word = view.getUint16(2);
  const counts = [4, 6, 8, 10].map((at) => view.getUint16(at));
  const [asked = 0, ...recorded] = counts;
  const least = recorded.reduce((sum, count) => sum + count * LEAST_RECORD, asked * LEAST_QUESTION);
  if (HEADER + least > bytes.length) return undefined;

  let at = HEADER;
  const questions: Question[] = [];
  for (let left = asked; left > 0; left--) {
    const name = readName(bytes, at);
    if (name === undefined || name.next + 4 > bytes.length) return undefined;
    const type = view.getUint16(name.next);
    questions.push({ name: name.name, type, class: view.getUint16(name.next + 2) });
    at = name.next + 4;
  }

  const sections: Rr[][] = [];
  for (const count of recorded) {
    const records: Rr[] = [];
    for (let left = count; left > 0; left--) {
      const read = readRecord(bytes, view, at);
      if (read === undefined) return undefined;
      records.push(read.record);
      at = read.next;
    }
    sections.push(records);
  }
  if (at !== bytes.length) return undefined;

  const [answers = [], authorities = [], all = []] = sections;
  const opts = [...answers, ...authorities, ...all].filter((rr) => rr.type === TYPE.OPT);
  const opt = all.find((rr) => rr.type === TYPE.OPT);
  const edns = opt && readOpt(opt);
  if (opts.length > (opt ? 1 : 0) || (opt && edns === undefined)) return undefined;
  return {
    id: view.getUint16(0),
    flags: word & ALL_FLAGS,
    opcode: (word >>> 11) & 15,
    rcode: (word & 15) | (opt ? (opt.ttl >>> 24) << 4 : 0),
    questions,
    answers,
    authorities,
    additionals: all.filter((rr) => rr !== opt),
    edns,
  };
}

function readRecord(
  bytes: Uint8Array,
  view: DataView,
  at: number,
): { record: Rr; next: number } | undefined {
  const name = readName(bytes, at);
  if (name === undefined || name.next + 10 > bytes.length) return undefined;
  const type = view.getUint16(name.next);
  const start = name.next + 10;
  const end = start + view.getUint16(name.next + 8);
  const rdata = end > bytes.length ? undefined : decompress(type, bytes, start, end);
  if (rdata === undefined) return undefined;
  const klass = view.getUint16(name.next + 2);
  if (type !== TYPE.OPT && !checkRdata(type, rdata)) return undefined;
  const record = { name: name.name, type, class: klass, ttl: view.getUint32(name.next + 4), rdata };
  return { record, next: end };
}

function readOpt(opt: Rr): Edns | undefined {
  if (opt.name.length !== 1) return undefined;
  const options: EdnsOption[] = [];
  const { rdata } = opt;
  for (let at = 0; at < rdata.length;) {
    if (at + 4 > rdata.length) return undefined;
    const code = ((rdata[at] as number) << 8) | (rdata[at + 1] as number);
    const end = at + 4 + (((rdata[at + 2] as number) << 8) | (rdata[at + 3] as number));
    if (end > rdata.length) return undefined;
    options.push({ code, data: rdata.slice(at + 4, end) });
    at = end;
  }
  return {
    udpSize: Math.max(opt.class, MIN_UDP_SIZE),
    version: (opt.ttl >>> 16) & 0xff,
    do: (opt.ttl & DNSSEC_OK) !== 0,
    compact: (opt.ttl & COMPACT_OK) !== 0,
    options,
  };
}

/** The inverse of `decodeMessage`, names compressed; undefined when it needs more than `limit` bytes. */
export function encodeMessage(message: Message, limit = 0xffff): Uint8Array | undefined {
  if (limit < HEADER) return undefined;
  const out = new Uint8Array(limit);
  const writer = new MessageWriter();
  writer.exactCase = true;
  const flags = (message.flags & ALL_FLAGS) | (message.opcode << 11) | (message.rcode & 15);
  writer.beginMessage(out, 0, limit, message.id, flags);
  const put = (section: 0 | 1 | 2, rr: Rr) =>
    writer.add(section, rr.name, rr.type, rr.class, rr.ttl, rr.rdata);
  const fits =
    message.questions.every((q) => writer.question(q.name, q.type, q.class)) &&
    message.answers.every((rr) => put(SECTION.ANSWER, rr)) &&
    message.authorities.every((rr) => put(SECTION.AUTHORITY, rr)) &&
    (message.edns === undefined || putOpt(writer, message.edns, message.rcode)) &&
    // Behind OPT, because a TSIG must be the last (RFC 8945, 5.1).
    message.additionals.every((rr) => put(SECTION.ADDITIONAL, rr));
  return fits ? out.slice(0, writer.end()) : undefined;
}

function putOpt(writer: MessageWriter, edns: Edns, rcode: number): boolean {
  if (!writer.beginOpt(edns.udpSize, rcode, edns.do, edns.compact, edns.version)) return false;
  if (!edns.options.every(({ code, data }) => writer.option(code, data))) return false;
  writer.endOpt();
  return true;
}
