import { describe, expect, test } from "bun:test";

import fc from "fast-check";

import { MAX_FIELDS } from "../../../src/wire/http1/field-block.ts";
import { Head } from "../../../src/wire/http1/head.ts";
import { Slot } from "../../../src/wire/http1/known-fields.ts";
import { latin1 } from "../canary.ts";
import {
  anything,
  MAX,
  read,
  sameAsPlainReader,
  sameInPieces,
  sameInUsedHead,
} from "./head.properties.ts";
import { plainReader } from "./plain-reader.ts";
import { refusedHeads, request } from "./refused-heads.ts";

const plain = { length: 0, chunked: false, keepAlive: true, host: "a" };

describe("taken", () => {
  test.each([
    { story: "the least there is", text: request(""), is: plain },
    { story: "an empty line ahead", text: `\r\n${request("")}`, is: plain },
    { story: "a length", text: request("Content-Length: 5\r\n"), is: { ...plain, length: 5 } },
    { story: "length 0", text: request("Content-Length: 0\r\n"), is: plain },
    {
      story: "length with space around",
      text: request("Content-Length: \t5 \r\n"),
      is: { ...plain, length: 5 },
    },
    {
      story: "length without space",
      text: request("content-length:5\r\n"),
      is: { ...plain, length: 5 },
    },
    {
      story: "the longest length",
      text: request("Content-Length: 999999999999999\r\n"),
      is: { ...plain, length: 999_999_999_999_999 },
    },
    {
      story: "chunked",
      text: request("Transfer-Encoding: chunked\r\n"),
      is: { ...plain, length: -1, chunked: true },
    },
    {
      story: "chunked in capitals",
      text: request("TRANSFER-ENCODING: CHUNKED\r\n"),
      is: { ...plain, length: -1, chunked: true },
    },
    { story: "close", text: request("Connection: close\r\n"), is: { ...plain, keepAlive: false } },
    {
      story: "close in a list",
      text: request("Connection: x , Close\r\n"),
      is: { ...plain, keepAlive: false },
    },
    {
      story: "close in the second field",
      text: request("Connection: x\r\nConnection: close\r\n"),
      is: { ...plain, keepAlive: false },
    },
    {
      story: "close wins",
      text: request("Connection: close, keep-alive\r\n"),
      is: { ...plain, keepAlive: false },
    },
    { story: "a word that holds close", text: request("Connection: closed\r\n"), is: plain },
    { story: "HTTP/1.0", text: request("", "GET / HTTP/1.0"), is: { ...plain, keepAlive: false } },
    {
      story: "HTTP/1.0 without Host",
      text: request("", "GET / HTTP/1.0", ""),
      is: { ...plain, keepAlive: false, host: "" },
    },
    {
      story: "HTTP/1.0 that stays",
      text: request("Connection: Keep-Alive\r\n", "GET / HTTP/1.0"),
      is: plain,
    },
    { story: "HTTP/1.9 is read as 1.1", text: request("", "GET / HTTP/1.9"), is: plain },
    {
      story: "an empty Host",
      text: request("", "GET / HTTP/1.1", "Host:\r\n"),
      is: { ...plain, host: "" },
    },
    {
      story: "Host with port",
      text: request("", "GET / HTTP/1.1", "Host: a.b:8080\r\n"),
      is: { ...plain, host: "a.b" },
    },
    {
      story: "Host with a dot behind",
      text: request("", "GET / HTTP/1.1", "Host: a.b.:80\r\n"),
      is: { ...plain, host: "a.b" },
    },
    {
      story: "Host as IPv6",
      text: request("", "GET / HTTP/1.1", "Host: [::1]:80\r\n"),
      is: { ...plain, host: "[::1]" },
    },
    {
      story: "absolute form outranks Host",
      text: request("", "GET http://b:81/x?y HTTP/1.1"),
      is: { ...plain, host: "b" },
    },
    {
      story: "absolute form without path",
      text: request("", "GET HTTPS://b HTTP/1.1"),
      is: { ...plain, host: "b" },
    },
    { story: "asterisk", text: request("", "OPTIONS * HTTP/1.1"), is: plain },
    { story: "a method nobody knows", text: request("", "M-SEARCH / HTTP/1.1"), is: plain },
    { story: "a field without value", text: request("X:\r\n"), is: plain },
    { story: "obs-text in a value", text: request("X: caf\xe9\r\n"), is: plain },
    {
      story: "every token character in a name",
      text: request("!#$%&'*+-.^_`|~09azAZ: x\r\n"),
      is: plain,
    },
    { story: "Content_Length is another field", text: request("Content_Length: 9\r\n"), is: plain },
    {
      story: "as many fields as allowed",
      text: request("X: y\r\n".repeat(MAX_FIELDS - 1)),
      is: plain,
    },
    {
      story: "everything up to the next message only",
      text: `${request("")}Content-Length: 9\r\n\r\n`,
      is: plain,
    },
  ])("$story", ({ text, is }) => {
    const head = new Head();
    const end = read(latin1(text), head);
    expect(end).toBeGreaterThan(0);
    const host = head.text(head.hostStart, head.hostEnd);
    const { contentLength: length, chunked, keepAlive } = head;
    expect({ length, chunked, keepAlive, host }).toEqual(is);
    expect(end).toBe(text.indexOf("\r\n\r\n") + 4);
  });

  test("values, forms and switches", () => {
    const head = new Head();
    read(
      latin1(
        request("ETag: x\r\nRange:  bytes=0-1\t\r\nrange: second\r\nExpect: 100-Continue\r\n"),
      ),
      head,
    );
    expect(head.value(Slot.range)).toBe("bytes=0-1");
    expect(head.value(Slot.ifMatch)).toBeUndefined();
    expect([head.fields, head.form, head.expectContinue, head.upgrade]).toEqual([
      5,
      "origin",
      true,
      false,
    ]);

    read(
      latin1(request("Upgrade: websocket\r\nConnection: Upgrade\r\n", "GET http://b/x?y HTTP/1.1")),
      head,
    );
    expect([head.form, head.upgrade, head.expectContinue]).toEqual(["absolute", true, false]);
    expect(head.text(head.pathStart, head.targetEnd)).toBe("/x?y");
    expect([head.isGet, head.isHead]).toEqual([true, false]);

    read(
      latin1(request("Connection: upgrade\r\nExpect: 100-continue\r\n", "HEAD / HTTP/1.0")),
      head,
    );
    expect([head.upgrade, head.expectContinue, head.isGet, head.isHead]).toEqual([
      false,
      false,
      false,
      true,
    ]);

    read(latin1(request("", "CONNECT b.c:443 HTTP/1.1")), head);
    expect([head.form, head.text(head.hostStart, head.hostEnd)]).toEqual(["authority", "b.c"]);
  });
});

describe("known fields", () => {
  const kebab = (name: string) => name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`);
  const names = Object.entries(Slot).map(([name, slot]) => ({ name: kebab(name), slot }));

  test.each(names)("$name is found in any case, and nothing like it", ({ name, slot }) => {
    const head = new Head();
    const line = (field: string) => `GET / HTTP/1.0\r\nX: y\r\n${field}: 100-continue\r\n\r\n`;
    for (const field of [name, name.toUpperCase()]) {
      read(latin1(line(field)), head);
      expect(head.slot[slot]).toBe(1);
    }
    for (const field of [`${name}x`, `x${name}`, name.slice(1), `${name}_`]) {
      read(latin1(line(field)), head);
      expect(head.slot[slot]).toBe(-1);
    }
  });
});

describe("refused", () => {
  test.each(refusedHeads)("$story", ({ fields, line, host, status = 400 }) => {
    expect(read(latin1(request(fields, line, host)))).toBe(-status);
  });
});

describe("how long it may be", () => {
  const sized = (n: number) => request(`X: ${"y".repeat(n)}\r\n`);
  const base = sized(0).length;

  test.each([
    { story: "exactly as long", text: sized(MAX - base), answer: MAX },
    { story: "one byte longer", text: sized(MAX - base + 1), answer: -431 },
    { story: "a giant field", text: sized(100_000), answer: -431 },
    { story: "a giant name", text: request(`${"X".repeat(100_000)}: y\r\n`), answer: -431 },
    {
      story: "a giant target",
      text: request("", `GET /${"a".repeat(100_000)} HTTP/1.1`),
      answer: -414,
    },
    {
      story: "a giant method",
      text: request("", `${"A".repeat(100_000)} / HTTP/1.1`),
      answer: -431,
    },
    {
      story: "white space without end",
      text: request(`X:${" ".repeat(100_000)}\r\n`),
      answer: -431,
    },
    {
      story: "short, with much behind",
      text: request("") + "x".repeat(100_000),
      answer: request("").length,
    },
  ])("$story: $answer", ({ text, answer }) => {
    expect(read(latin1(text))).toBe(answer);
  });

  test("one byte less than the limit is still waited for", () => {
    expect(read(latin1(sized(MAX)).subarray(0, MAX - 1))).toBe(0);
    expect(read(latin1(sized(MAX)).subarray(0, MAX))).toBe(-431);
  });
});

describe("for any bytes", () => {
  test("a plain reader of RFC 9112 takes the same heads and understands the same by them", () => {
    fc.assert(sameAsPlainReader, { numRuns: 5000 });
  });
  test("the verdict does not depend on where the bytes were cut, nor on what lies around them", () => {
    fc.assert(sameInPieces, { numRuns: 2000 });
  });
  test("a head that was refused leaves nothing behind for the next", () => {
    fc.assert(sameInUsedHead, { numRuns: 1000 });
  });
  test("what is generated is taken often enough for the above to mean something", () => {
    const texts = fc.sample(anything, 1000);
    expect(texts.filter((text) => plainReader(text) !== undefined).length).toBeGreaterThan(50);
  });
});
