import { expect, test } from "bun:test";

import fc from "fast-check";

import { READ } from "../../../src/net/http1/read-buffer.ts";
import { head, readHead } from "../../../src/net/http1/read-head.ts";
import { Head, parseHead } from "../../../src/wire/http1/head.ts";

const MAX = 8192;

/** What `readHead` makes of bytes that were just received, and what it should. */
function both(text: string, at = 0, bytes = READ.bytes, max = MAX) {
  const to = at + new TextEncoder().encodeInto(text, bytes.subarray(at)).written;
  const plain = new Head();
  const want = parseHead(bytes, at, to, plain, max);
  const got = readHead(bytes, at, to, max);
  return { got, want, head: want > 0 ? show(head) : "", plain: want > 0 ? show(plain) : "" };
}

function show(h: Head): string {
  const fields = Array.from({ length: h.fields }, (_, i) => [
    h.text(h.nameStart[i]!, h.nameEnd[i]!),
    h.text(h.valueStart[i]!, h.valueEnd[i]!),
  ]);
  const { minor, form, contentLength, chunked, keepAlive, expectContinue } = h;
  const flags = { minor, form, contentLength, chunked, keepAlive, expectContinue };
  const line = [h.text(h.methodStart, h.methodEnd), h.text(h.targetStart, h.targetEnd)];
  return JSON.stringify([line, h.text(h.hostStart, h.hostEnd), flags, fields, [...h.slot]]);
}

const request = fc
  .record({
    method: fc.constantFrom("GET", "HEAD", "PUT"),
    path: fc.constantFrom("/", "/a", "/b", "/ab", "/abc"),
    fields: fc.subarray([
      "X: 1",
      "X: 2",
      "If-None-Match: a",
      "Content-Length: 3",
      "Connection: close",
      "Y: 123",
      "Bad",
    ]),
    rest: fc.constantFrom("", "GET ", "abc"),
  })
  .map(({ method, path, fields, rest }) =>
    [`${method} ${path} HTTP/1.1`, "Host: x", ...fields, "", rest].join("\r\n"),
  );

test("a head is read as if none had come before it", () => {
  const other = new Uint8Array(4096);
  fc.assert(
    fc.property(
      fc.array(
        fc.record({
          text: request,
          repeat: fc.nat(2),
          where: fc.constantFrom("here", "here", "behind", "elsewhere"),
          max: fc.constantFrom(MAX, 60),
        }),
      ),
      (all) => {
        for (const { text, repeat, where, max } of all)
          for (let i = 0; i <= repeat; i++) {
            const result = both(
              text,
              where === "behind" ? 7 : 0,
              where === "elsewhere" ? other : READ.bytes,
              max,
            );
            expect([result.got, result.head]).toEqual([result.want, result.plain]);
          }
      },
    ),
  );
});

test.each([
  { story: "the same again", text: "GET /a HTTP/1.1\r\nHost: x\r\n\r\n" },
  { story: "one byte is another, the last but four", text: "GET /a HTTP/1.1\r\nHost: y\r\n\r\n" },
  { story: "half of it", text: "GET /a HTTP/1.1\r\nHost: y\r\n" },
  { story: "longer", text: "GET /a HTTP/1.1\r\nHost: y\r\nX: 1\r\n\r\n" },
  {
    story: "longer than is kept",
    text: `GET /a HTTP/1.1\r\nHost: y\r\nX: ${"1".repeat(2000)}\r\n\r\n`,
  },
])("$story", ({ text }) => {
  both("GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
  for (let i = 0; i < 2; i++) {
    const result = both(text);
    expect([result.got, result.head]).toEqual([result.want, result.plain]);
  }
});
