import { expect } from "bun:test";

import fc from "fast-check";

import { Head, parseHead } from "../../../src/wire/http1/head.ts";
import { amidst, latin1 } from "../canary.ts";
import { plainReader } from "./plain-reader.ts";

/** Bytes a head may have in these tests. */
export const MAX = 4096;
/** What a reader that looks too far would find. */
const LURE = "GET /lure HTTP/1.1\r\nHost: lure\r\nContent-Length: 7\r\n\r\n";

/** What `parseHead` says of these bytes, wherever they lie. */
export function read(bytes: Uint8Array, head = new Head()): number {
  const answers = amidst(bytes, LURE).map((p) => parseHead(p.bytes, p.from, p.to, head, MAX));
  expect(new Set(answers).size).toBe(1);
  return answers[0] ?? 0;
}

// Requests as they are, and as they are sent by those who look for a hole.
const pieces = [
  "GET",
  "POST",
  "CONNECT",
  "OPTIONS",
  " ",
  "  ",
  "/",
  "/a?b",
  "*",
  "http://b/c",
  "http://b",
  "a:1",
  "HTTP/1.1",
  "HTTP/1.0",
  "HTTP/2.0",
  "\r\n",
  "\r\n\r\n",
  "\r",
  "\n",
  "\t",
  ":",
  ": ",
  "Host",
  "Host: a",
  "Host: a:80",
  "Host: [::1]:8",
  "Content-Length: 5",
  "Content-Length",
  "content-length: 0",
  "Transfer-Encoding: chunked",
  "Transfer-Encoding",
  "chunked",
  "gzip, chunked",
  ",",
  "Connection: close",
  "Connection: keep-alive",
  "Connection: upgrade",
  "Upgrade: x",
  "Expect: 100-continue",
  "X: y",
  "\0",
  "\xe9",
  "5",
  "-",
  ".",
  "[",
  "]",
  "%",
  "#",
  "@",
];
const soup = fc.array(fc.constantFrom(...pieces), { maxLength: 24 }).map((p) => p.join(""));
const line = fc.constantFrom(
  ...pieces.filter((p) => p.includes(":")),
  "Host: b",
  "X:",
  "A: b\tc",
  "Content-Length:  7 ",
);
const near = fc
  .record({
    start: fc.constantFrom("", "\r\n"),
    method: fc.constantFrom("GET", "POST", "OPTIONS", "CONNECT", "get"),
    target: fc.constantFrom(
      "/",
      "/a?b",
      "*",
      "http://b:1/c",
      "https://b?c",
      "a:1",
      "[::1]:443",
      "//",
    ),
    version: fc.constantFrom("HTTP/1.1", "HTTP/1.0", "HTTP/1.2"),
    host: fc.constantFrom(
      "Host: a\r\n",
      "Host: a\r\n",
      "host:  [::1]:80 \r\n",
      "Host: a.:\r\n",
      "",
    ),
    lines: fc.array(line, { maxLength: 4 }),
    change: fc.option(fc.tuple(fc.nat(), fc.nat(255)), { freq: 3 }),
    rest: fc.constantFrom("", "", "hello", "\r\n", "GET / HTTP/1.1\r\n"),
  })
  .map((r) => {
    const text = `${r.start}${r.method} ${r.target} ${r.version}\r\n${r.host}${r.lines.map((l) => `${l}\r\n`).join("")}\r\n${r.rest}`;
    if (r.change === null) return text;
    const at = r.change[0] % text.length;
    return text.slice(0, at) + String.fromCharCode(r.change[1]) + text.slice(at + 1);
  });
export const anything = fc.oneof(
  { weight: 5, arbitrary: near },
  { weight: 3, arbitrary: soup },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 99 }).map((b) => String.fromCharCode(...b)) },
);

/** All that a parsed head means, as plain values. */
function meaning(head: Head, end: number) {
  const fields = Array.from({ length: head.fields }, (_, i) => [
    head.text(head.nameStart[i] ?? 0, head.nameEnd[i] ?? 0).toLowerCase(),
    head.text(head.valueStart[i] ?? 0, head.valueEnd[i] ?? 0),
  ]);
  const { form, minor, contentLength, chunked, keepAlive, expectContinue, upgrade } = head;
  return {
    end,
    method: head.text(head.methodStart, head.methodEnd),
    target: head.text(head.targetStart, head.targetEnd),
    path: head.text(head.pathStart, head.targetEnd),
    host: head.text(head.hostStart, head.hostEnd),
    fields,
    form,
    minor,
    contentLength,
    chunked,
    keepAlive,
    expectContinue,
    upgrade,
  };
}

const head = new Head();

export const sameAsPlainReader = fc.property(anything, (text) => {
  const bytes = latin1(text);
  const end = parseHead(bytes, 0, bytes.length, head, MAX);
  const understood = plainReader(text);
  if (end <= 0) expect(understood).toBeUndefined();
  else expect<unknown>(understood).toEqual(meaning(head, end));
});

/** Cut short it may wait, but never say what it would not say of the whole. */
export const sameInPieces = fc.property(
  anything,
  fc.array(fc.nat(), { maxLength: 3 }),
  (text, cuts) => {
    const bytes = latin1(text);
    const whole = read(bytes);
    for (const cut of cuts) {
      const part = read(bytes.subarray(0, cut % (bytes.length + 1)));
      if (part !== 0) expect(part).toBe(whole);
    }
  },
);

export const sameInUsedHead = fc.property(anything, near, (before, text) => {
  const used = new Head();
  const fresh = new Head();
  const bytes = latin1(text);
  parseHead(latin1(before), 0, before.length, used, MAX);
  const end = parseHead(bytes, 0, bytes.length, used, MAX);
  expect(parseHead(bytes, 0, bytes.length, fresh, MAX)).toBe(end);
  if (end <= 0) return;
  expect(meaning(used, end)).toEqual(meaning(fresh, end));
  expect(used.slot).toEqual(fresh.slot);
});
