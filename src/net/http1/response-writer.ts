import type { HttpResponse } from "../../wire/http/message.ts";
import { emitResponseHead, statusLine } from "../../wire/http1/response-head.ts";
import { currentDate } from "./http-date.ts";

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

/**
 * The head as bytes, status line to blank line; good until the next is made. Fields that would split
 * it are left out.
 */
export function headOf(response: HttpResponse, framing: Framing, close: boolean): Uint8Array {
  if (response.lines !== undefined && response.named === true)
    return headAround(response.status, response.lines, framing, close);
  const fields: (readonly [string, string])[] =
    response.named === true
      ? [...response.headers]
      : [["Date", currentDate().text], ["Server", "tern"], ...response.headers];
  if (framing.kind === "length") fields.push(["Content-Length", String(framing.length)]);
  if (framing.kind === "chunked") fields.push(["Transfer-Encoding", "chunked"]);
  if (close && response.status !== 101) fields.push(["Connection", "close"]);
  return emitResponseHead(response.status, fields);
}

/** Heads with ready lines are put together here; longer ones are made anew. */
const HEAD = new Uint8Array(32 * 1024);
/** Status line and framing. */
const AROUND = 256;
const latin1 = (text: string): Uint8Array => Buffer.from(text, "latin1");
const LENGTH = latin1("Content-Length: ");
const CHUNKED = latin1("Transfer-Encoding: chunked\r\n");
const CLOSE = latin1("Connection: close\r\n");

function headAround(
  status: number,
  lines: Uint8Array,
  framing: Framing,
  close: boolean,
): Uint8Array {
  const into = lines.length + AROUND > HEAD.length ? new Uint8Array(lines.length + AROUND) : HEAD;
  const first = statusLine(status);
  into.set(first);
  into.set(lines, first.length);
  let at = first.length + lines.length;
  if (framing.kind === "length") {
    into.set(LENGTH, at);
    at += LENGTH.length;
    const digits = String(framing.length);
    for (let i = 0; i < digits.length; i++) into[at++] = digits.charCodeAt(i);
    into[at++] = 13;
    into[at++] = 10;
  } else if (framing.kind === "chunked") {
    into.set(CHUNKED, at);
    at += CHUNKED.length;
  }
  if (close && status !== 101) {
    into.set(CLOSE, at);
    at += CLOSE.length;
  }
  into[at++] = 13;
  into[at++] = 10;
  return into.subarray(0, at);
}
