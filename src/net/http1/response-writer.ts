import type { HttpResponse, ReadyLines } from "../../wire/http/message.ts";
import { emitResponseHead, statusLine } from "../../wire/http1/response-head.ts";
import { currentDate } from "./http-date.ts";
import type { Outbox } from "./outbox.ts";

/** How the body's end is marked (RFC 9112, 6.3). */
export type Framing =
  | { readonly kind: "length"; readonly length: number }
  | { readonly kind: "chunked" }
  /** By closing the connection. */
  | { readonly kind: "close" }
  /** There is no body and none could be: 1xx, 204, 304, and HEAD without a known length. */
  | { readonly kind: "bare" };

/** The framing for `response` to a request with `method` in HTTP/1.`minor`. */
export function framingOf(response: HttpResponse, method: string, minor: number): Framing {
  const { status, body } = response;
  if (status === 101 && body.kind === "flow") return { kind: "close" };
  if (status === 204 || status === 304 || status < 200) return { kind: "bare" };
  if (body.kind === "none") {
    if (method === "HEAD") return { kind: "bare" };
    return { kind: "length", length: 0 };
  }
  if (body.kind === "pieces") {
    let length = 0;
    for (const piece of body.pieces) length += piece.length;
    return { kind: "length", length };
  }
  if (body.length !== undefined) return { kind: "length", length: body.length };
  return minor === 0 ? { kind: "close" } : { kind: "chunked" };
}

/** The head as bytes, status line to blank line. Fields that would split it are left out. */
export function headOf(response: HttpResponse, framing: Framing, close: boolean): Uint8Array {
  const fields: (readonly [string, string])[] =
    response.named === true
      ? [...response.headers]
      : [["Date", currentDate().text], ["Server", "tern"], ...response.headers];
  if (framing.kind === "length") fields.push(["Content-Length", String(framing.length)]);
  if (framing.kind === "chunked") fields.push(["Transfer-Encoding", "chunked"]);
  if (close && response.status !== 101) fields.push(["Connection", "close"]);
  return emitResponseHead(response.status, fields);
}

const latin1 = (text: string): Uint8Array => Buffer.from(text, "latin1");
const LENGTH = latin1("Content-Length: ");
const CHUNKED = latin1("Transfer-Encoding: chunked\r\n");
const CLOSE = latin1("Connection: close\r\n");
const END = latin1("\r\n");
/** A length and the end of its line. */
const digits = new Uint8Array(32);

/** Put a head whose fields are ready lines. Answers its length. */
export function putHead(
  out: Outbox,
  status: number,
  lines: ReadyLines,
  framing: Framing,
  close: boolean,
): number {
  const first = statusLine(status);
  let length = first.length + lines.length + END.length;
  out.putRange(first, 0, first.length);
  out.putCopy(lines);
  if (framing.kind === "length") {
    const text = String(framing.length);
    let at = 0;
    for (; at < text.length; at++) digits[at] = text.charCodeAt(at);
    digits[at++] = 13;
    digits[at++] = 10;
    out.putRange(LENGTH, 0, LENGTH.length);
    out.putRange(digits, 0, at);
    length += LENGTH.length + at;
  } else if (framing.kind === "chunked") {
    out.putRange(CHUNKED, 0, CHUNKED.length);
    length += CHUNKED.length;
  }
  if (close && status !== 101) {
    out.putRange(CLOSE, 0, CLOSE.length);
    length += CLOSE.length;
  }
  out.putRange(END, 0, END.length);
  return length;
}
