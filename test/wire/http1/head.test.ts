import { describe, expect, test } from "bun:test";

import fc from "fast-check";

import { Head, MAX_FIELDS } from "../../../src/wire/http1/head.ts";
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

/** A request line, Host unless told otherwise, and these fields. */
function request(fields: string, line = "POST / HTTP/1.1", host = "Host: a\r\n"): string {
  return `${line}\r\n${host}${fields}\r\n`;
}

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

/** What smugglers send. RFC 9112 says 400 unless another status is given. */
describe("refused", () => {
  test.each([
    // Two ways to frame one body: 6.3.
    {
      story: "length beside chunked",
      fields: "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
    },
    {
      story: "chunked beside length",
      fields: "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
    },
    { story: "even length 0", fields: "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n" },
    {
      story: "length beside a coding that is none",
      fields: "Transfer-Encoding: x\r\nContent-Length: 5\r\n",
    },
    { story: "two lengths", fields: "Content-Length: 5\r\nContent-Length: 6\r\n" },
    { story: "the same length twice", fields: "Content-Length: 5\r\nContent-Length: 5\r\n" },
    { story: "two lengths in one field", fields: "Content-Length: 5, 6\r\n" },
    { story: "the same twice in one field", fields: "Content-Length: 5, 5\r\n" },
    {
      story: "two lengths with a field between",
      fields: "Content-Length: 5\r\nX: y\r\ncontent-length: 6\r\n",
    },
    // What is no 1*DIGIT: RFC 9110, 8.6.
    { story: "no length", fields: "Content-Length:\r\n" },
    { story: "length with a plus", fields: "Content-Length: +5\r\n" },
    { story: "length with a minus", fields: "Content-Length: -5\r\n" },
    { story: "length with a space", fields: "Content-Length: 5 6\r\n" },
    { story: "length in hex", fields: "Content-Length: 0x5\r\n" },
    { story: "length in letters", fields: "Content-Length: five\r\n" },
    { story: "length with a dot", fields: "Content-Length: 5.0\r\n" },
    { story: "length with an exponent", fields: "Content-Length: 5e1\r\n" },
    { story: "length with an underscore", fields: "Content-Length: 1_0\r\n" },
    { story: "length with a comma behind", fields: "Content-Length: 5,\r\n" },
    { story: "zeros ahead, which some read as octal", fields: "Content-Length: 010\r\n" },
    { story: "two zeros", fields: "Content-Length: 00\r\n" },
    { story: "2^64 + 5", fields: "Content-Length: 18446744073709551621\r\n" },
    { story: "2^53", fields: "Content-Length: 9007199254740992\r\n" },
    { story: "digits of another alphabet", fields: "Content-Length: \xb2\r\n" },
    { story: "length in quotes", fields: 'Content-Length: "5"\r\n' },
    // Transfer codings: 6.1, 6.3 rule 4.
    { story: "xchunked", fields: "Transfer-Encoding: xchunked\r\n" },
    { story: "chunkedx", fields: "Transfer-Encoding: chunkedx\r\n" },
    { story: "chunked not last", fields: "Transfer-Encoding: chunked, gzip\r\n" },
    { story: "chunked, then identity", fields: "Transfer-Encoding: chunked, identity\r\n" },
    { story: "identity", fields: "Transfer-Encoding: identity\r\n" },
    { story: "gzip alone", fields: "Transfer-Encoding: gzip\r\n" },
    { story: "chunked twice", fields: "Transfer-Encoding: chunked, chunked\r\n", status: 501 },
    {
      story: "chunked in two fields",
      fields: "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
    },
    {
      story: "chunked, then identity in a field of its own",
      fields: "Transfer-Encoding: chunked\r\nTransfer-encoding: identity\r\n",
    },
    { story: "chunked in quotes", fields: 'Transfer-Encoding: "chunked"\r\n' },
    { story: "chunked with a parameter", fields: "Transfer-Encoding: chunked;a=b\r\n" },
    { story: "a comma ahead", fields: "Transfer-Encoding: , chunked\r\n" },
    { story: "a comma behind", fields: "Transfer-Encoding: chunked,\r\n" },
    { story: "no coding", fields: "Transfer-Encoding:\r\n" },
    {
      story: "a coding before chunked that is not done here",
      fields: "Transfer-Encoding: gzip, chunked\r\n",
      status: 501,
    },
    {
      story: "chunked in HTTP/1.0",
      fields: "Transfer-Encoding: chunked\r\n",
      line: "POST / HTTP/1.0",
    },
    { story: "vertical tab before chunked", fields: "Transfer-Encoding: \x0bchunked\r\n" },
    { story: "form feed behind chunked", fields: "Transfer-Encoding: chunked\x0c\r\n" },
    { story: "NUL behind chunked", fields: "Transfer-Encoding: chunked\0\r\n" },
    { story: "a no-break space before chunked", fields: "Transfer-Encoding: \xa0chunked\r\n" },
    // Field lines: 5.
    { story: "space before the colon", fields: "Transfer-Encoding : chunked\r\n" },
    { story: "tab before the colon", fields: "Content-Length\t: 5\r\n" },
    { story: "space before the name", fields: " Content-Length: 5\r\n" },
    { story: "folded", fields: "X: y\r\n Content-Length: 5\r\n" },
    { story: "folded by a tab", fields: "Transfer-Encoding:\r\n\tchunked\r\n" },
    { story: "no name", fields: ": x\r\n" },
    { story: "no colon", fields: "Content-Length\r\n" },
    { story: "two words for a name", fields: "Content Length: 5\r\n" },
    { story: "NUL in a name", fields: "Content-\0Length: 5\r\n" },
    { story: "a byte beyond ASCII in a name", fields: "Cont\xe9nt: 5\r\n" },
    { story: "a quote in a name", fields: '"X": y\r\n' },
    { story: "a bracket in a name", fields: "X[]: y\r\n" },
    { story: "NUL in a value", fields: "X: a\0b\r\n" },
    { story: "DEL in a value", fields: "X: a\x7fb\r\n" },
    { story: "escape in a value", fields: "X: a\x1bb\r\n" },
    { story: "bare CR in a value", fields: "X: a\rContent-Length: 5\r\n" },
    { story: "bare LF in a value", fields: "X: a\nContent-Length: 5\r\n" },
    { story: "CR CR LF", fields: "X: a\r\r\n" },
    { story: "LF CR", fields: "X: a\n\r" },
    { story: "a line that is only CR", fields: "\rX: a\r\n" },
    { story: "a line that is only LF", fields: "\nX: a\r\n" },
    { story: "too many fields", fields: "X: y\r\n".repeat(MAX_FIELDS), status: 431 },
    { story: "an expectation nobody can meet", fields: "Expect: a pony\r\n", status: 417 },
    // Host: 3.2.
    { story: "no Host", fields: "", host: "" },
    {
      story: "no Host in the absolute form either",
      fields: "",
      host: "",
      line: "GET http://a/ HTTP/1.1",
    },
    { story: "two Hosts", fields: "Host: b\r\n" },
    { story: "the same Host twice", fields: "Host: a\r\n" },
    { story: "two Hosts in HTTP/1.0", fields: "Host: b\r\n", line: "GET / HTTP/1.0" },
    {
      story: "two Hosts in the absolute form",
      fields: "Host: b\r\n",
      line: "GET http://a/ HTTP/1.1",
    },
    { story: "a path in Host", fields: "", host: "Host: a/b\r\n" },
    { story: "a user in Host", fields: "", host: "Host: u@a\r\n" },
    { story: "a space in Host", fields: "", host: "Host: a b\r\n" },
    { story: "a backslash in Host", fields: "", host: "Host: a\\b\r\n" },
    { story: "beyond ASCII in Host", fields: "", host: "Host: \xe9\r\n" },
    { story: "only a port in Host", fields: "", host: "Host: :80\r\n" },
    { story: "a port in letters", fields: "", host: "Host: a:b\r\n" },
    { story: "a port above 65535", fields: "", host: "Host: a:65536\r\n" },
    { story: "a port of six digits", fields: "", host: "Host: a:000080\r\n" },
    { story: "two ports", fields: "", host: "Host: a:80:80\r\n" },
    { story: "bare IPv6", fields: "", host: "Host: ::1\r\n" },
    { story: "an open bracket", fields: "", host: "Host: [::1\r\n" },
    { story: "nothing in brackets", fields: "", host: "Host: []\r\n" },
    { story: "a name in brackets", fields: "", host: "Host: [host]\r\n" },
    { story: "text behind brackets", fields: "", host: "Host: [::1]a\r\n" },
    { story: "a port without colon", fields: "", host: "Host: [::1]80\r\n" },
    // Request lines: 3.
    { story: "HTTP/0.9", fields: "", line: "GET /" },
    { story: "HTTP/0.9 in words", fields: "", line: "GET / HTTP/0.9", status: 505 },
    { story: "HTTP/2.0", fields: "", line: "GET / HTTP/2.0", status: 505 },
    { story: "HTTP/3.0", fields: "", line: "GET / HTTP/3.0", status: 505 },
    { story: "lower case", fields: "", line: "GET / http/1.1" },
    { story: "HTTPS", fields: "", line: "GET / HTTPS/1.1" },
    { story: "a longer version", fields: "", line: "GET / HTTP/1.10" },
    { story: "a shorter version", fields: "", line: "GET / HTTP/1" },
    { story: "a version with a comma", fields: "", line: "GET / HTTP/1,1" },
    { story: "a version in letters", fields: "", line: "GET / HTTP/1.x" },
    { story: "two spaces before the target", fields: "", line: "GET  / HTTP/1.1" },
    { story: "two spaces before the version", fields: "", line: "GET /  HTTP/1.1" },
    { story: "a space behind the version", fields: "", line: "GET / HTTP/1.1 " },
    { story: "a space before the method", fields: "", line: " GET / HTTP/1.1" },
    { story: "tabs", fields: "", line: "GET\t/\tHTTP/1.1" },
    { story: "a space in the target", fields: "", line: "GET /a b HTTP/1.1" },
    { story: "no method", fields: "", line: "/ HTTP/1.1" },
    { story: "a method that is no token", fields: "", line: "G(T / HTTP/1.1" },
    { story: "a method beyond ASCII", fields: "", line: "G\xc8T / HTTP/1.1" },
    { story: "NUL in the target", fields: "", line: "GET /\0 HTTP/1.1" },
    { story: "beyond ASCII in the target", fields: "", line: "GET /caf\xe9 HTTP/1.1" },
    { story: "a fragment", fields: "", line: "GET /a#b HTTP/1.1" },
    { story: "bare CR in the target", fields: "", line: "GET /a\rb HTTP/1.1" },
    { story: "bare LF behind the line", fields: "", line: "GET / HTTP/1.1\nX: y" },
    { story: "a target without slash", fields: "", line: "GET a HTTP/1.1" },
    { story: "another scheme", fields: "", line: "GET ftp://a/ HTTP/1.1" },
    { story: "no authority", fields: "", line: "GET http:///a HTTP/1.1" },
    { story: "a user in the authority", fields: "", line: "GET http://u@a/ HTTP/1.1" },
    { story: "a bad port in the authority", fields: "", line: "GET http://a:x/ HTTP/1.1" },
    { story: "asterisk for GET", fields: "", line: "GET * HTTP/1.1" },
    { story: "authority form for GET", fields: "", line: "GET a:443 HTTP/1.1" },
    { story: "CONNECT to a path", fields: "", line: "CONNECT / HTTP/1.1" },
    { story: "CONNECT to a URL", fields: "", line: "CONNECT http://a/ HTTP/1.1" },
    { story: "CONNECT without port", fields: "", line: "CONNECT a HTTP/1.1" },
    { story: "CONNECT with an empty port", fields: "", line: "CONNECT a: HTTP/1.1" },
    { story: "CONNECT to an asterisk", fields: "", line: "CONNECT * HTTP/1.1" },
    { story: "two empty lines ahead", fields: "", line: "\r\n\r\nGET / HTTP/1.1" },
    { story: "a bare LF ahead", fields: "", line: "\nGET / HTTP/1.1" },
    { story: "a bare CR ahead", fields: "", line: "\rGET / HTTP/1.1" },
    { story: "the preface of HTTP/2", fields: "", line: "PRI * HTTP/2.0", host: "", status: 505 },
    { story: "a TLS hello", fields: "", line: "\x16\x03\x01\x02\x00\x01", host: "" },
    { story: "a PROXY header nobody expects", fields: "", line: "PROXY TCP4 1.2.3.4 1.2.3.4 1 2" },
  ])("$story", ({ fields, line, host, status = 400 }) => {
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
