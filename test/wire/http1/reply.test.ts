import { describe, expect, test } from "bun:test";

import fc from "fast-check";

import { MAX_FIELDS } from "../../../src/wire/http1/field-block.ts";
import {
  type Asked,
  BAD_REPLY,
  LARGE_REPLY,
  parseReply,
  Reply,
  ReplySlot,
} from "../../../src/wire/http1/reply.ts";
import { latin1 } from "../canary.ts";
import { MAX, read, sameAsPlainReader, sameInPieces } from "./reply.properties.ts";

function reply(fields: string, status = "200 OK", version = "HTTP/1.1"): string {
  return `${version} ${status}\r\n${fields}\r\n`;
}

const plain = { status: 200, body: "close", length: -1, keepAlive: false };

describe("taken", () => {
  test.each<{ story: string; text: string; asked?: Asked; is: unknown }>([
    { story: "the least there is", text: reply(""), is: plain },
    { story: "no reason and no space for it", text: reply("", "200"), is: plain },
    { story: "no reason", text: reply("", "200 "), is: plain },
    {
      story: "a length",
      text: reply("Content-Length: 5\r\n"),
      is: { status: 200, body: "length", length: 5, keepAlive: true },
    },
    {
      story: "length 0 is no body",
      text: reply("Content-Length: 0\r\n"),
      is: { status: 200, body: "none", length: 0, keepAlive: true },
    },
    {
      story: "chunked",
      text: reply("Transfer-Encoding: CHUNKED\r\n"),
      is: { status: 200, body: "chunked", length: -1, keepAlive: true },
    },
    {
      story: "HTTP/1.0 closes",
      text: reply("Content-Length: 5\r\n", "200 OK", "HTTP/1.0"),
      is: { status: 200, body: "length", length: 5, keepAlive: false },
    },
    {
      story: "HTTP/1.0 that stays",
      text: reply("Content-Length: 5\r\nConnection: Keep-Alive\r\n", "200 OK", "HTTP/1.0"),
      is: { status: 200, body: "length", length: 5, keepAlive: true },
    },
    {
      story: "close",
      text: reply("Content-Length: 5\r\nConnection: close\r\n"),
      is: { status: 200, body: "length", length: 5, keepAlive: false },
    },
    {
      story: "304 tells the length of what it does not send",
      text: reply("Content-Length: 5\r\n", "304 Not Modified"),
      is: { status: 304, body: "none", length: 5, keepAlive: true },
    },
    {
      story: "HEAD",
      text: reply("Content-Length: 5\r\n"),
      asked: "HEAD",
      is: { status: 200, body: "none", length: 5, keepAlive: true },
    },
    {
      story: "HEAD of what would be chunked",
      text: reply("Transfer-Encoding: chunked\r\n"),
      asked: "HEAD",
      is: { status: 200, body: "none", length: -1, keepAlive: true },
    },
    {
      story: "204",
      text: reply("", "204 No Content"),
      is: { status: 204, body: "none", length: -1, keepAlive: true },
    },
    {
      story: "early hints",
      text: reply("Link: </a>\r\n", "103 Early Hints"),
      is: { status: 103, body: "none", length: -1, keepAlive: true },
    },
    {
      story: "another protocol",
      text: reply("Connection: upgrade\r\nUpgrade: websocket\r\n", "101 Switching Protocols"),
      is: { status: 101, body: "none", length: -1, keepAlive: true },
    },
    {
      story: "a tunnel",
      text: reply(""),
      asked: "CONNECT",
      is: { status: 200, body: "none", length: -1, keepAlive: true },
    },
    {
      story: "no tunnel after all",
      text: reply("Content-Length: 5\r\n", "407 No"),
      asked: "CONNECT",
      is: { status: 407, body: "length", length: 5, keepAlive: true },
    },
  ])("$story", ({ text, asked = "other", is }) => {
    const bytes = latin1(`${text}rest`);
    const head = new Reply();
    expect(parseReply(bytes, 0, bytes.length, head, asked, MAX)).toBe(text.length);
    const { status, body, contentLength: length, keepAlive } = head;
    expect<unknown>({ status, body, length, keepAlive }).toEqual(is);
    expect(read(bytes, asked)).toBe(text.length);
  });

  test("fields are found by name", () => {
    const head = new Reply();
    const bytes = latin1(reply('eTag: "x"\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n'));
    parseReply(bytes, 0, bytes.length, head, "other", MAX);
    expect(head.value(ReplySlot.etag)).toBe('"x"');
    expect(head.value(ReplySlot.setCookie)).toBe("a=1");
    expect(head.value(ReplySlot.vary)).toBeUndefined();
    expect(head.repeats).toBe(1 << ReplySlot.setCookie);
  });
});

describe("refused", () => {
  test.each<{ story: string; text: string; asked?: Asked }>([
    { story: "another version", text: reply("", "200 OK", "HTTP/2.0") },
    { story: "a lower-case version", text: reply("", "200 OK", "http/1.1") },
    { story: "a status of two digits", text: reply("", "20 OK") },
    { story: "a status of four digits", text: reply("", "2000 OK") },
    { story: "status 600", text: reply("", "600 No") },
    { story: "status 099", text: reply("", "099 No") },
    { story: "NUL in the reason", text: reply("", "200 O\0K") },
    { story: "two spaces before the status", text: reply("", " 200 OK") },
    { story: "bare LF", text: "HTTP/1.1 200 OK\nContent-Length: 5\n\n" },
    { story: "bare CR in the reason", text: reply("", "200 O\rK") },
    {
      story: "length and coding",
      text: reply("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"),
    },
    { story: "two lengths", text: reply("Content-Length: 5\r\nContent-Length: 6\r\n") },
    { story: "the same length twice", text: reply("Content-Length: 5\r\nContent-Length: 5\r\n") },
    { story: "lengths in a list", text: reply("Content-Length: 5, 5\r\n") },
    { story: "a signed length", text: reply("Content-Length: +5\r\n") },
    { story: "a negative length", text: reply("Content-Length: -5\r\n") },
    { story: "a hexadecimal length", text: reply("Content-Length: 0x5\r\n") },
    { story: "an empty length", text: reply("Content-Length:\r\n") },
    { story: "a leading zero", text: reply("Content-Length: 05\r\n") },
    { story: "more than 2^53 bytes", text: reply("Content-Length: 9999999999999999\r\n") },
    { story: "chunked twice", text: reply("Transfer-Encoding: chunked, chunked\r\n") },
    { story: "a coding below chunked", text: reply("Transfer-Encoding: gzip, chunked\r\n") },
    { story: "identity", text: reply("Transfer-Encoding: identity\r\n") },
    { story: "xchunked", text: reply("Transfer-Encoding: xchunked\r\n") },
    {
      story: "two codings",
      text: reply("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
    },
    {
      story: "a coding from HTTP/1.0",
      text: reply("Transfer-Encoding: chunked\r\n", "200 OK", "HTTP/1.0"),
    },
    { story: "204 with a body", text: reply("Content-Length: 5\r\n", "204 No Content") },
    { story: "204 with a coding", text: reply("Transfer-Encoding: chunked\r\n", "204 No Content") },
    { story: "103 with a body", text: reply("Content-Length: 5\r\n", "103 Early Hints") },
    { story: "101 with a coding", text: reply("Transfer-Encoding: chunked\r\n", "101 S") },
    { story: "a tunnel with a length", text: reply("Content-Length: 5\r\n"), asked: "CONNECT" },
    { story: "space before the colon", text: reply("Content-Length : 5\r\n") },
    { story: "a folded line", text: reply("X: a\r\n b\r\n") },
    { story: "a line without colon", text: reply("hello\r\n") },
    { story: "an empty name", text: reply(": x\r\n") },
    { story: "NUL in a value", text: reply("X: a\0b\r\n") },
    { story: "a request", text: "GET / HTTP/1.1\r\nHost: a\r\n\r\n" },
    { story: "an empty line ahead", text: `\r\n${reply("")}` },
  ])("$story", ({ text, asked = "other" }) => {
    expect(read(latin1(text), asked)).toBe(BAD_REPLY);
  });

  test("too many fields, and too long a head", () => {
    const many = "A: b\r\n".repeat(MAX_FIELDS + 1);
    expect(read(latin1(reply(many)))).toBe(LARGE_REPLY);
    expect(read(latin1(reply(`A: ${"x".repeat(MAX)}\r\n`)))).toBe(LARGE_REPLY);
    expect(read(latin1(`HTTP/1.1 200 ${"x".repeat(MAX)}`))).toBe(LARGE_REPLY);
  });
});

test("waits for the rest, byte by byte", () => {
  const text = reply("Content-Length: 5\r\nX: y\r\n");
  for (let n = 0; n < text.length; n++) expect(read(latin1(text.slice(0, n)))).toBe(0);
});

test("reads as the plain reader does", () => fc.assert(sameAsPlainReader, { numRuns: 2000 }));
test("says the same of a head in pieces", () => fc.assert(sameInPieces, { numRuns: 500 }));
