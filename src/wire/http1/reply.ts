/**
 * HTTP/1.x response heads (RFC 9112) as a client reads them, strict and without allocation:
 * `parseReply` fills a reusable `Reply` with offsets into the caller's bytes. A server that frames
 * a response in two ways at once is not believed in either.
 */
import { CR, decimal, is, LF, SP, VALUE } from "./characters.ts";
import { FieldBlock, readConnection, readFields } from "./field-block.ts";
import { FieldTable } from "./field-table.ts";

/** Response fields that a proxy and its cache look at. */
export const ReplySlot = {
  connection: 0,
  contentLength: 1,
  transferEncoding: 2,
  upgrade: 3,
  keepAlive: 4,
  date: 5,
  age: 6,
  cacheControl: 7,
  expires: 8,
  etag: 9,
  lastModified: 10,
  vary: 11,
  contentType: 12,
  contentEncoding: 13,
  contentRange: 14,
  setCookie: 15,
  location: 16,
  cdnCacheControl: 17,
  surrogateKey: 18,
  cacheTag: 19,
  pragma: 20,
  warning: 21,
  trailer: 22,
  proxyConnection: 23,
  te: 24,
} as const;
export type ReplySlot = (typeof ReplySlot)[keyof typeof ReplySlot];

const FIELDS = new FieldTable([
  "connection",
  "content-length",
  "transfer-encoding",
  "upgrade",
  "keep-alive",
  "date",
  "age",
  "cache-control",
  "expires",
  "etag",
  "last-modified",
  "vary",
  "content-type",
  "content-encoding",
  "content-range",
  "set-cookie",
  "location",
  "cdn-cache-control",
  "surrogate-key",
  "cache-tag",
  "pragma",
  "warning",
  "trailer",
  "proxy-connection",
  "te",
]);

/** How the body of a response ends (RFC 9112, 6.3). */
export type ReplyBody = "none" | "length" | "chunked" | "close";

/** What was asked, as far as it decides about the response. */
export type Asked = "HEAD" | "CONNECT" | "other";

/** Not a response we take: whoever asked is answered 502. */
export const BAD_REPLY = -1;
/** Longer than allowed. */
export const LARGE_REPLY = -2;

/** Shortest status line: `HTTP/1.1 200` CRLF. */
const SHORTEST = 14;

/** A parsed response head. Offsets are into `bytes`, which the caller reuses: copy what must last. */
export class Reply extends FieldBlock {
  status = 0;
  reasonStart = 0;
  reasonEnd = 0;
  body: ReplyBody = "none";
  /** Bytes of the body when `body` is "length"; what HEAD and 304 say it would be, or -1. */
  contentLength = -1;

  constructor() {
    super(FIELDS);
  }

  /** Value of the first field in `slot`, or undefined. */
  value(slot: ReplySlot): string | undefined {
    return this.valueIn(slot);
  }

  /** 1xx but 101: another head follows. */
  get interim(): boolean {
    return this.status < 200 && this.status !== 101;
  }
}

/**
 * Read a response head in `bytes[from, to)` to a request that was `asked`.
 * Returns how many bytes it takes, 0 when more are needed, BAD_REPLY or LARGE_REPLY.
 */
export function parseReply(
  bytes: Uint8Array,
  from: number,
  to: number,
  reply: Reply,
  asked: Asked,
  maxHead: number,
): number {
  const end = Math.min(to, from + maxHead);
  const wait = to - from >= maxHead ? LARGE_REPLY : 0;
  reply.bytes = bytes;
  if (!beginsWell(bytes, from, end)) return BAD_REPLY;
  if (end - from < SHORTEST) return wait;

  reply.minor = bytes[from + 7]! === 48 ? 0 : 1;
  reply.status =
    (bytes[from + 9]! - 48) * 100 + (bytes[from + 10]! - 48) * 10 + bytes[from + 11]! - 48;
  let at = from + 12;
  // The space behind the status is forgiven when there is no reason: many servers leave it out.
  if (bytes[at] === SP) at++;
  else if (bytes[at] !== CR) return BAD_REPLY;
  reply.reasonStart = at;
  while (at < end && VALUE[bytes[at]!] === 1) at++;
  reply.reasonEnd = at;
  if (at + 1 >= end) return at < end && bytes[at] !== CR ? BAD_REPLY : wait;
  if (bytes[at] !== CR || bytes[at + 1] !== LF) return BAD_REPLY;

  const behind = readFields(bytes, at + 2, end, reply);
  if (behind === 0) return wait;
  if (behind < 0) return behind === -431 ? LARGE_REPLY : BAD_REPLY;
  readConnection(reply, ReplySlot.connection, ReplySlot.upgrade);
  return readBody(reply, asked) ? behind - from : BAD_REPLY;
}

/** Could `bytes[from, end)` be, or become, `HTTP/1.x nnn` with a status of 100 to 599? */
function beginsWell(bytes: Uint8Array, from: number, end: number): boolean {
  for (let i = 0; i < 12 && from + i < end; i++) {
    const c = bytes[from + i]!;
    const digit = c >= 48 && c <= 57;
    const good =
      i === 8
        ? c === SP
        : i === 9
          ? c >= 49 && c <= 53
          : i > 9 || i === 7
            ? digit
            : c === "HTTP/1.".charCodeAt(i);
    if (!good) return false;
  }
  return true;
}

/** RFC 9112, 6.3. False when the framing cannot be trusted. */
function readBody(reply: Reply, asked: Asked): boolean {
  const { bytes, slot, repeats, valueStart, valueEnd, status, minor } = reply;
  const length = slot[ReplySlot.contentLength]!;
  const coding = slot[ReplySlot.transferEncoding]!;
  reply.contentLength = -1;
  if (coding >= 0) {
    if (length >= 0 || minor === 0) return false;
    if ((repeats & (1 << ReplySlot.transferEncoding)) !== 0) return false;
    if (!is(bytes, valueStart[coding]!, valueEnd[coding]!, "chunked")) return false;
  } else if (length >= 0) {
    if ((repeats & (1 << ReplySlot.contentLength)) !== 0) return false;
    reply.contentLength = decimal(bytes, valueStart[length]!, valueEnd[length]!);
    if (reply.contentLength < 0) return false;
  }
  if (status === 101 || (asked === "CONNECT" && status >= 200 && status < 300)) {
    reply.body = "none"; // what follows is another protocol
    return coding < 0 && reply.contentLength <= 0;
  }
  if (status < 200 || status === 204) {
    // RFC 9110, 8.6 and RFC 9112, 6.1: neither field may be there; a zero does no harm.
    reply.body = "none";
    return coding < 0 && reply.contentLength <= 0;
  }
  if (asked === "HEAD" || status === 304) reply.body = "none";
  else if (coding >= 0) reply.body = "chunked";
  else if (length >= 0) reply.body = reply.contentLength === 0 ? "none" : "length";
  else {
    reply.body = "close";
    reply.keepAlive = false;
  }
  return true;
}
