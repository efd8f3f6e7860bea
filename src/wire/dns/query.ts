/** The server's reading of a question: in place, nothing allocated, everything checked. */
import { COMPACT_OK, DNSSEC_OK, EDNS_VERSION, MIN_UDP_SIZE, OPT_LENGTH } from "./edns.ts";
import {
  hashByte,
  hashEnd,
  hashStart,
  LOWER,
  MAX_LABEL,
  MAX_LABELS,
  MAX_NAME,
  skipName,
} from "./name.ts";
import { clearOptions, QueryOptions, readOptions } from "./query-options.ts";
import { OPCODE, RCODE, TYPE } from "./types.ts";

/** The question is good: answer it. */
export const ANSWER = -1;
/** Say nothing: an answer would be to a response, or to noise. */
export const DROP = -2;
/** No question, but a cookie option: NOERROR with a server cookie and nothing else (RFC 7873, 5.4). */
export const COOKIE_ONLY = -3;
/** `ANSWER`, `DROP`, `COOKIE_ONLY`, or the rcode (above 0) to answer with; BADVERS is 16. */
export type Verdict = number;

/** Bytes of a message in front of its question. */
export const HEADER = 12;

/**
 * One question and what came with it. Made once and filled by every `readQuery`; the offsets are
 * into the bytes that were read. Fields behind the place where reading failed are as in a query
 * without them.
 */
export class Query {
  id = 0;
  /** The second word of the header as it came. */
  flags = 0;
  opcode = 0;
  rd = false;
  cd = false;
  ad = false;
  /** The name as asked, uncompressed, case kept. */
  qnameStart = 0;
  qnameEnd = 0;
  /** Behind the class: the question to echo is `qnameStart` to here. 0: there is none to echo. */
  questionEnd = 0;
  qtype = 0;
  qclass = 0;
  /** The name in lower case, wire form, `keyLength` bytes of it. */
  readonly key: Uint8Array = new Uint8Array(MAX_NAME + 1);
  keyLength = 0;
  /** `hashName` of the name. */
  hash = 0;
  /** Labels, the root not counted. */
  labels = 0;
  /** Where in `key` each label begins, the first label first; the root's is at `labels`. */
  readonly labelStarts: Uint8Array = new Uint8Array(MAX_LABELS + 1);
  /** `hashName` of what begins at each of these labels; the root's at `labels`. */
  readonly hashes: Uint32Array = new Uint32Array(MAX_LABELS + 1);
  /** The serial of the SOA that an IXFR or a NOTIFY carries; -1 without. */
  serial = -1;
  readonly edns: QueryOptions = new QueryOptions();
  /** Where the TSIG record, always the last, begins; -1 without. */
  tsigAt = -1;
  /** Given to the hashes, so that strangers cannot choose names that meet in a table. */
  readonly seed: number;

  constructor(seed = 0) {
    this.seed = seed;
  }
}

/**
 * Read the message between `from` and `to`. Queries and NOTIFY get as far as `ANSWER`; any other
 * opcode is NOTIMP (RFC 1035, 4.1.1), more than one question, a compressed or overlong name, a
 * record that overruns, a second OPT or bytes behind the last record are FORMERR, another EDNS
 * version BADVERS (RFC 6891, 6.1.3).
 */
export function readQuery(bytes: Uint8Array, from: number, to: number, query: Query): Verdict {
  if (to - from < HEADER) return DROP;
  const flags = word(bytes, from + 2);
  if (flags & 0x8000) return DROP;
  query.id = word(bytes, from);
  query.flags = flags;
  query.opcode = (flags >>> 11) & 15;
  query.rd = (flags & 0x0100) !== 0;
  query.ad = (flags & 0x0020) !== 0;
  query.cd = (flags & 0x0010) !== 0;
  query.qnameStart = query.qnameEnd = query.questionEnd = from + HEADER;
  query.questionEnd = 0;
  query.qtype = query.qclass = 0;
  query.keyLength = query.hash = query.labels = 0;
  query.serial = -1;
  query.tsigAt = -1;
  if (query.edns.present) clearOptions(query.edns);
  if (query.opcode !== OPCODE.QUERY && query.opcode !== OPCODE.NOTIFY) return RCODE.NOTIMP;

  const questions = word(bytes, from + 4);
  const answers = word(bytes, from + 6);
  const authorities = word(bytes, from + 8);
  const additionals = word(bytes, from + 10);
  let at = from + HEADER;
  if (questions === 1) {
    at = readQuestion(bytes, at, to, query);
    if (at < 0) return RCODE.FORMERR;
    if (answers + authorities + additionals === 0) return at === to ? judge(query) : RCODE.FORMERR;
  } else if (questions !== 0 || query.opcode !== OPCODE.QUERY) return RCODE.FORMERR;

  // RFC 1995, 3 and RFC 1996, 3.7: the SOA that the sender has, or had.
  if (answers > (query.opcode === OPCODE.NOTIFY ? 1 : 0)) return RCODE.FORMERR;
  if (authorities > (query.qtype === TYPE.IXFR ? 1 : 0)) return RCODE.FORMERR;
  if (answers + authorities > 0) at = readSerial(bytes, at, to, query);
  if (at < 0) return RCODE.FORMERR;

  at = readAdditional(bytes, at, to, additionals, query);
  if (at !== to) return RCODE.FORMERR;
  if (query.edns.present && query.edns.version !== EDNS_VERSION) return RCODE.BADVERS;
  if (query.edns.present && !readOptions(bytes, query.edns)) return RCODE.FORMERR;
  if (questions === 0) return query.edns.cookieAt < 0 ? RCODE.FORMERR : COOKIE_ONLY;
  return judge(query);
}

/** Types that cannot be asked for (RFC 6895, 3.1; RFC 9824, 3.5) and those nobody answers any more. */
function judge(query: Query): Verdict {
  switch (query.qtype) {
    case TYPE.OPT:
    case TYPE.NXNAME:
    case TYPE.TSIG:
      return RCODE.FORMERR;
    case TYPE.TKEY:
    case TYPE.MAILA:
    case TYPE.MAILB:
      return RCODE.NOTIMP;
    default:
      return ANSWER;
  }
}

/** The question at `start` into `query`; where it ends, -1 when it is none. */
function readQuestion(bytes: Uint8Array, start: number, to: number, query: Query): number {
  const { key, labelStarts, hashes } = query;
  // The root's byte and type and class are behind the last label.
  const limit = Math.min(to - 5, start + MAX_NAME - 1);
  let at = start;
  let labels = 0;
  for (;;) {
    if (at > limit) return -1;
    const head = bytes[at] as number;
    if (head === 0) break;
    if (head > MAX_LABEL) return -1;
    labelStarts[labels++] = at - start;
    at += head + 1;
  }
  const length = at - start + 1;
  key[length - 1] = 0;
  labelStarts[labels] = length - 1;

  let state = hashByte(hashStart(query.seed), 0);
  hashes[labels] = hashEnd(state);
  let i = length - 2;
  for (let label = labels - 1; label >= 0; label--) {
    const begin = labelStarts[label] as number;
    for (; i >= begin; i--) {
      const byte = LOWER[bytes[start + i] as number] as number;
      key[i] = byte;
      state = hashByte(state, byte);
    }
    hashes[label] = hashEnd(state);
  }

  query.qnameEnd = at + 1;
  query.questionEnd = at + 5;
  query.qtype = word(bytes, at + 1);
  query.qclass = word(bytes, at + 3);
  query.keyLength = length;
  query.labels = labels;
  query.hash = hashes[0] as number;
  return at + 5;
}

/** The serial of the one SOA at `at`; where the record ends, -1 when it is not such a one. */
function readSerial(bytes: Uint8Array, at: number, to: number, query: Query): number {
  const head = skipName(bytes, at, to);
  if (head < 0 || head + 10 > to || word(bytes, head) !== TYPE.SOA) return -1;
  const end = head + 10 + word(bytes, head + 8);
  if (end > to) return -1;
  const mailbox = skipName(bytes, head + 10, end);
  const numbers = mailbox < 0 ? -1 : skipName(bytes, mailbox, end);
  if (numbers < 0 || numbers + 20 !== end) return -1;
  query.serial = word(bytes, numbers) * 0x10000 + word(bytes, numbers + 2);
  return end;
}

/** Find OPT and TSIG among `count` records; where the last one ends, -1 when they are wrong. */
function readAdditional(
  bytes: Uint8Array,
  at: number,
  to: number,
  count: number,
  query: Query,
): number {
  const { edns } = query;
  for (let left = count; left > 0; left--) {
    const head = skipName(bytes, at, to);
    if (head < 0 || head + 10 > to) return -1;
    const end = head + 10 + word(bytes, head + 8);
    if (end > to) return -1;
    const type = word(bytes, head);
    if (type === TYPE.OPT) {
      if (edns.present || head !== at + 1) return -1;
      edns.present = true;
      edns.optionsStart = at + OPT_LENGTH;
      edns.optionsEnd = end;
      edns.udpSize = Math.max(MIN_UDP_SIZE, word(bytes, head + 2));
      edns.version = bytes[head + 5] as number;
      edns.do = (word(bytes, head + 6) & DNSSEC_OK) !== 0;
      edns.compact = (word(bytes, head + 6) & COMPACT_OK) !== 0;
    } else if (type === TYPE.TSIG) {
      if (left > 1) return -1; // RFC 8945, 5.1: the last record or none
      query.tsigAt = at;
    }
    at = end;
  }
  return at;
}

function word(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
}
