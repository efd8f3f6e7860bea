import { expect } from "bun:test";

import fc from "fast-check";

import { type Asked, parseReply, Reply } from "../../../src/wire/http1/reply.ts";
import { amidst, latin1 } from "../canary.ts";
import { plainReplyReader } from "./plain-reply-reader.ts";

/** Bytes a head may have in these tests. */
export const MAX = 4096;
/** What a reader that looks too far would find. */
const LURE = "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n";

const reply = new Reply();

/** What `parseReply` says of these bytes, wherever they lie. */
export function read(bytes: Uint8Array, asked: Asked = "other", into = reply): number {
  const answers = amidst(bytes, LURE).map((p) =>
    parseReply(p.bytes, p.from, p.to, into, asked, MAX),
  );
  expect(new Set(answers).size).toBe(1);
  return answers[0] ?? 0;
}

const asked = fc.constantFrom<Asked>("other", "other", "HEAD", "CONNECT");
const line = fc.constantFrom(
  "Content-Length: 5",
  "content-length: 0",
  "Content-Length:  7 ",
  "Content-Length: 07",
  "Content-Length: 5, 5",
  "Transfer-Encoding: chunked",
  "Transfer-Encoding: gzip, chunked",
  "Connection: close",
  "Connection: keep-alive, Upgrade",
  "Upgrade: websocket",
  "Set-Cookie: a=b",
  "Set-Cookie: c=d",
  "X:",
  "A: b\tc",
  "A : b",
  " folded",
  "ETag: \xe9",
  "X: \0",
);
const near = fc
  .record({
    version: fc.constantFrom("HTTP/1.1", "HTTP/1.1", "HTTP/1.0", "HTTP/2.0", "http/1.1", "ICY"),
    status: fc.constantFrom(
      " 200",
      " 204",
      " 304",
      " 101",
      " 103",
      " 404",
      " 599",
      " 099",
      " 20",
      " 600",
    ),
    reason: fc.constantFrom(" OK", " ", "", " Not \t Found", " \0", "\x01", "  "),
    lines: fc.array(line, { maxLength: 5 }),
    change: fc.option(fc.tuple(fc.nat(), fc.nat(255)), { freq: 3 }),
    rest: fc.constantFrom("", "", "hello", "\r\n", LURE),
  })
  .map((r) => {
    const text = `${r.version}${r.status}${r.reason}\r\n${r.lines.map((l) => `${l}\r\n`).join("")}\r\n${r.rest}`;
    if (r.change === null) return text;
    const at = r.change[0] % text.length;
    return text.slice(0, at) + String.fromCharCode(r.change[1]) + text.slice(at + 1);
  });
const anything = fc.oneof(
  { weight: 5, arbitrary: near },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 99 }).map((b) => String.fromCharCode(...b)) },
);

/** All that a parsed head means, as plain values. */
function meaning(head: Reply, end: number) {
  const { status, minor, body, contentLength, keepAlive, upgrade } = head;
  const fields = Array.from({ length: head.fields }, (_, i) => [
    head.text(head.nameStart[i] ?? 0, head.nameEnd[i] ?? 0).toLowerCase(),
    head.text(head.valueStart[i] ?? 0, head.valueEnd[i] ?? 0),
  ]);
  const reason = head.text(head.reasonStart, head.reasonEnd);
  return { end, status, reason, minor, fields, body, contentLength, keepAlive, upgrade };
}

export const sameAsPlainReader = fc.property(anything, asked, (text, method) => {
  const end = read(latin1(text), method);
  const bytes = latin1(text);
  parseReply(bytes, 0, bytes.length, reply, method, MAX);
  const understood = plainReplyReader(text, method);
  if (end <= 0) expect(understood).toBeUndefined();
  else expect<unknown>(understood).toEqual(meaning(reply, end));
});

/** Cut short it may wait, but never say what it would not say of the whole. */
export const sameInPieces = fc.property(
  anything,
  asked,
  fc.array(fc.nat(), { maxLength: 3 }),
  (text, method, cuts) => {
    const bytes = latin1(text);
    const whole = read(bytes, method);
    for (const cut of cuts) {
      const part = read(bytes.slice(0, cut % (bytes.length + 1)), method);
      if (part !== 0) expect(part).toBe(whole);
    }
  },
);
