import type { HttpResponse } from "../../wire/http/message.ts";
import { emitResponseHead } from "../../wire/http1/response-head.ts";
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
