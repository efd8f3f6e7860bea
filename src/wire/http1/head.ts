/**
 * HTTP/1.x request heads (RFC 9112), strict and without allocation: `parseHead` fills a reusable
 * `Head` with offsets into the caller's bytes. Whatever two readers could understand differently
 * is refused: bare CR or LF, folded lines, space before a colon, a length given twice or beside
 * a transfer coding.
 */
import { COLON, CR, decimal, is, latin1, LF, SP, table, TOKEN } from "./characters.ts";
import { FieldBlock, more, readConnection, readFields } from "./field-block.ts";
import { REQUEST_FIELDS, Slot } from "./known-fields.ts";

/** Body length of a chunked request: known when it ends. */
const UNKNOWN = -1;

const SLASH = 47;

/** Of a name or an IPv4 address (RFC 3986, 3.2.2). */
const HOST = table("-._~!$&'()*+,;=%0123456789");
/** Visible ASCII without "#": a fragment is never sent (RFC 9112, 3.2). */
const TARGET = Uint8Array.from({ length: 256 }, (_, c) => Number(c > 0x20 && c < 0x7f && c !== 35));

/** Codings we do not do, with a known end: 501. Any other that is not "chunked": 400 (RFC 9112, 6.1, 6.3). */
const CODED = /^(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+[ \t]*,[ \t]*)+chunked$/i;

const MAX_PORT = 65_535;

export type TargetForm = "origin" | "absolute" | "authority" | "asterisk";

/** A parsed head. Offsets are into `bytes`, which the caller reuses: copy what must last. */
export class Head extends FieldBlock {
  methodStart = 0;
  methodEnd = 0;
  /** The whole request target, as sent. */
  targetStart = 0;
  targetEnd = 0;
  /** Path and query of it; empty for the authority and asterisk forms. */
  pathStart = 0;
  form: TargetForm = "origin";
  /** Host without port: from the target when it is absolute, else from the field. */
  hostStart = 0;
  hostEnd = 0;
  /** Bytes of the body; 0 when there is none, -1 when chunked. */
  contentLength = 0;
  chunked = false;
  expectContinue = false;

  constructor() {
    super(REQUEST_FIELDS);
  }

  /** Value of the first field in `slot`, or undefined. */
  value(slot: Slot): string | undefined {
    return this.valueIn(slot);
  }

  /** GET is the method. */
  get isGet(): boolean {
    const { bytes, methodStart: at } = this;
    return (
      this.methodEnd - at === 3 && bytes[at] === 71 && bytes[at + 1] === 69 && bytes[at + 2] === 84
    );
  }
  get isHead(): boolean {
    const { bytes, methodStart: at } = this;
    return (
      this.methodEnd - at === 4 &&
      bytes[at] === 72 &&
      bytes[at + 1] === 69 &&
      bytes[at + 2] === 65 &&
      bytes[at + 3] === 68
    );
  }
}

/**
 * Read a request head in `bytes[from, to)`.
 * Returns how many bytes it takes, 0 when more are needed, or the negated status to refuse it
 * with: -400, -414, -417, -431, -501, -505. `maxHead` bounds the head in bytes.
 */
export function parseHead(
  bytes: Uint8Array,
  from: number,
  to: number,
  head: Head,
  maxHead: number,
): number {
  const end = Math.min(to, from + maxHead);
  let at = from;
  // An empty line before the request line is forgiven once (RFC 9112, 2.2).
  if (bytes[at] === CR && at < end) {
    if (at + 1 >= end) return 0;
    if (bytes[at + 1] !== LF) return -400;
    at += 2;
  }
  head.bytes = bytes;

  head.methodStart = at;
  while (at < end && TOKEN[bytes[at]!] === 1) at++;
  if (at >= end) return more(to, from, maxHead, 431);
  if (bytes[at] !== SP || at === head.methodStart) return -400;
  head.methodEnd = at++;

  head.targetStart = at;
  while (at < end && TARGET[bytes[at]!] === 1) at++;
  if (at >= end) return more(to, from, maxHead, 414);
  if (bytes[at] !== SP || at === head.targetStart) return -400;
  head.targetEnd = at++;

  if (at + 10 > end) return shortVersion(bytes, at, end) ? more(to, from, maxHead, 414) : -400;
  if (!startsHttp(bytes, at)) return -400;
  const major = bytes[at + 5]! - 48;
  const minor = bytes[at + 7]! - 48;
  if (major < 0 || major > 9 || minor < 0 || minor > 9 || bytes[at + 6] !== 46) return -400;
  if (bytes[at + 8] !== CR || bytes[at + 9] !== LF) return -400;
  if (major !== 1) return -505;
  head.minor = minor === 0 ? 0 : 1;
  at += 10;

  const behind = readFields(bytes, at, end, head);
  if (behind === 0) return more(to, from, maxHead, 431);
  if (behind < 0) return behind;

  const refused = readFraming(head) || readTarget(head);
  return refused === 0 ? behind - from : -refused;
}

/** Length, coding and persistence: RFC 9112, 6.3 and 9.3. Answers a status to refuse with, or 0. */
function readFraming(head: Head): number {
  const { bytes, repeats, slot, valueStart, valueEnd } = head;
  const length = slot[Slot.contentLength]!;
  const coding = slot[Slot.transferEncoding]!;
  head.contentLength = 0;
  head.chunked = false;
  if (coding >= 0) {
    if (length >= 0 || head.minor === 0) return 400;
    if ((repeats & (1 << Slot.transferEncoding)) !== 0) return 400;
    const from = valueStart[coding]!;
    const to = valueEnd[coding]!;
    if (!is(bytes, from, to, "chunked")) return CODED.test(latin1(bytes, from, to)) ? 501 : 400;
    head.chunked = true;
    head.contentLength = UNKNOWN;
  } else if (length >= 0) {
    if ((repeats & (1 << Slot.contentLength)) !== 0) return 400;
    const n = decimal(bytes, valueStart[length]!, valueEnd[length]!);
    if (n < 0) return 400;
    head.contentLength = n;
  }

  readConnection(head, Slot.connection, Slot.upgrade);

  head.expectContinue = false;
  const expect = slot[Slot.expect]!;
  if (expect >= 0) {
    if (!is(bytes, valueStart[expect]!, valueEnd[expect]!, "100-continue")) return 417;
    head.expectContinue = head.minor === 1;
  }
  return 0;
}

/** Form of the target (RFC 9112, 3.2) and the host. Answers a status to refuse with, or 0. */
function readTarget(head: Head): number {
  const { bytes, repeats, slot, targetStart, targetEnd } = head;
  const host = slot[Slot.host]!;
  if ((repeats & (1 << Slot.host)) !== 0) return 400;
  if (host < 0 && head.minor === 1) return 400;
  head.hostStart = host < 0 ? 0 : head.valueStart[host]!;
  head.hostEnd = host < 0 ? 0 : head.valueEnd[host]!;
  if (host >= 0 && !cutPort(head)) return 400;

  head.pathStart = targetStart;
  if (bytes[targetStart] === SLASH) {
    head.form = "origin";
    return is(bytes, head.methodStart, head.methodEnd, "connect") ? 400 : 0;
  }
  if (is(bytes, head.methodStart, head.methodEnd, "connect")) {
    head.form = "authority";
    head.pathStart = targetEnd;
    head.hostStart = targetStart;
    head.hostEnd = targetEnd;
    const last = bytes[targetEnd - 1]!;
    return cutPort(head) && head.hostEnd < targetEnd && last >= 48 && last <= 57 ? 0 : 400;
  }
  if (targetEnd - targetStart === 1 && bytes[targetStart] === 42) {
    head.form = "asterisk";
    head.pathStart = targetEnd;
    return is(bytes, head.methodStart, head.methodEnd, "options") ? 0 : 400;
  }
  let authority = 0;
  if (is(bytes, targetStart, targetStart + 7, "http://")) authority = targetStart + 7;
  else if (is(bytes, targetStart, targetStart + 8, "https://")) authority = targetStart + 8;
  if (authority === 0 || authority >= targetEnd) return 400;
  head.form = "absolute";
  let at = authority;
  while (at < targetEnd && bytes[at] !== SLASH && bytes[at] !== 63) at++;
  head.pathStart = at;
  head.hostStart = authority;
  head.hostEnd = at;
  return at > authority && cutPort(head) ? 0 : 400;
}

/** Check the characters of the host, and leave its port and a trailing dot out. */
function cutPort(head: Head): boolean {
  const { bytes, hostStart } = head;
  let { hostEnd } = head;
  let at = hostEnd;
  while (at > hostStart && bytes[at - 1]! >= 48 && bytes[at - 1]! <= 57) at--;
  const bracketed = hostEnd > hostStart && bytes[hostStart] === 91;
  if (at > hostStart && bytes[at - 1] === COLON && (!bracketed || bytes[at - 2] === 93)) {
    if (hostEnd - at > 5) return false;
    let port = 0;
    for (let i = at; i < hostEnd; i++) port = port * 10 + bytes[i]! - 48;
    if (port > MAX_PORT) return false;
    hostEnd = at - 1;
    if (hostEnd === hostStart) return false;
  }
  if (bracketed) {
    if (!isIpLiteral(bytes, hostStart, hostEnd)) return false;
  } else {
    for (let i = hostStart; i < hostEnd; i++) if (HOST[bytes[i]!] === 0) return false;
    if (hostEnd - hostStart > 1 && bytes[hostEnd - 1] === 46) hostEnd--;
  }
  head.hostEnd = hostEnd;
  return true;
}

/** Hex digits, dots and at least one colon in brackets (RFC 3986, 3.2.2). */
function isIpLiteral(bytes: Uint8Array, from: number, to: number): boolean {
  if (bytes[to - 1] !== 93) return false;
  let colon = false;
  for (let i = from + 1; i < to - 1; i++) {
    const c = bytes[i]!;
    if (c === COLON) colon = true;
    else if (c !== 46 && !(c >= 48 && c <= 57) && !((c | 0x20) >= 97 && (c | 0x20) <= 102))
      return false;
  }
  return colon;
}

function startsHttp(b: Uint8Array, at: number): boolean {
  return (
    b[at] === 72 && b[at + 1] === 84 && b[at + 2] === 84 && b[at + 3] === 80 && b[at + 4] === SLASH
  );
}

/** Could `bytes[at, end)` still become "HTTP/1.1" CRLF? */
function shortVersion(bytes: Uint8Array, at: number, end: number): boolean {
  for (let i = at; i < end; i++) {
    const c = bytes[i]!;
    const want = "HTTP/".charCodeAt(i - at);
    const place = i - at;
    if (place < 5 ? c !== want : place === 6 ? c !== 46 : place === 8 ? c !== CR : c < 48 || c > 57)
      return false;
  }
  return true;
}
