import { expect, test } from "bun:test";

import { Head, parseHead } from "../../../src/wire/http1/head.ts";
import { wantsMore } from "../../../src/wire/http1/wants-more.ts";

test.each([
  { fields: "Accept: */*\r\nCookie: a=b", more: false },
  { fields: 'If-None-Match: "a"', more: false },
  { fields: "If-Modified-Since: Mon, 23 Nov 2026 00:00:00 GMT", more: false },
  { fields: "Content-Length: 0", more: false },
  { fields: "Range: bytes=0-1", more: true },
  { fields: 'If-Match: "a"', more: true },
  { fields: "If-Unmodified-Since: Mon, 23 Nov 2026 00:00:00 GMT", more: true },
  { fields: "Authorization: Basic YTpi", more: true },
  { fields: "Expect: 100-continue", more: true },
  { fields: "Connection: upgrade\r\nUpgrade: websocket", more: true },
  { fields: "Transfer-Encoding: chunked", more: true },
  { fields: 'accept: */*\r\nif-none-match: "a"\r\nRANGE: bytes=0-1', more: true },
])("a GET with $fields: $more", ({ fields, more }) => {
  const bytes = Buffer.from(`GET / HTTP/1.1\r\nHost: a.example\r\n${fields}\r\n\r\n`, "latin1");
  const head = new Head();
  expect(parseHead(bytes, 0, bytes.length, head, 16 * 1024)).toBe(bytes.length);
  expect(wantsMore(head)).toBe(more);
});
