import { describe, expect, test } from "bun:test";

import fc from "fast-check";

import { ChunkedDecoder, MAX_CHUNK_HEAD, writeChunkHead } from "../../../src/wire/http1/chunked.ts";
import { latin1 } from "../canary.ts";
import { decode, readsWhatIsWritten, sameAsPlainReader } from "./chunked.properties.ts";

const LONG = "x".repeat(16 * 1024);

describe("a chunked body", () => {
  test.each([
    { story: "empty", body: "0\r\n\r\n", data: "" },
    { story: "one chunk", body: "5\r\nhello\r\n0\r\n\r\n", data: "hello" },
    { story: "two", body: "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", data: "abcde" },
    {
      story: "data that looks like chunks",
      body: "5\r\n0\r\n\r\n\r\n0\r\n\r\n",
      data: "0\r\n\r\n",
    },
    {
      story: "hex of both cases",
      body: `0aA\r\n${"x".repeat(170)}\r\n0\r\n\r\n`,
      data: "x".repeat(170),
    },
    { story: "zeros ahead", body: "0005\r\nhello\r\n0000\r\n\r\n", data: "hello" },
    { story: "an extension", body: "5;a=b\r\nhello\r\n0;c\r\n\r\n", data: "hello" },
    { story: "a quoted one", body: '5;a="b;c"\r\nhello\r\n0\r\n\r\n', data: "hello" },
    { story: "bad white space before it", body: "5 \t;a = b\r\nhello\r\n0\r\n\r\n", data: "hello" },
  ])("$story", ({ body, data }) => {
    expect(decode([latin1(body)])).toEqual({
      state: "done",
      data,
      rest: "",
      trailers: [],
      length: data.length,
    });
    expect(decode([latin1(`${body}GET / HTTP/1.1`)])).toMatchObject({
      state: "done",
      data,
      rest: "GET / HTTP/1.1",
    });
  });

  test.each([
    { story: "no size", body: "\r\nhello\r\n0\r\n\r\n" },
    { story: "an empty line instead of the last chunk", body: "5\r\nhello\r\n\r\n" },
    { story: "bare LF behind the size", body: "5\nhello\r\n0\r\n\r\n" },
    { story: "bare LF behind the data", body: "5\r\nhello\n0\r\n\r\n" },
    { story: "bare LF at the end", body: "5\r\nhello\r\n0\n\n" },
    { story: "bare CR behind the size", body: "5\rhello\r\n0\r\n\r\n" },
    { story: "CR CR LF", body: "5\r\r\nhello\r\n0\r\n\r\n" },
    { story: "a byte too few in the size", body: "4\r\nhello\r\n0\r\n\r\n" },
    { story: "a byte too many", body: "6\r\nhello\r\n0\r\n\r\n" },
    { story: "two bytes instead of CRLF", body: "5\r\nhelloXX0\r\n\r\n" },
    { story: "0x", body: "0x5\r\nhello\r\n0\r\n\r\n" },
    { story: "underscore", body: "0_2e\r\n" },
    { story: "plus", body: "+5\r\nhello\r\n0\r\n\r\n" },
    { story: "minus", body: "-5\r\nhello\r\n0\r\n\r\n" },
    { story: "space ahead", body: " 5\r\nhello\r\n0\r\n\r\n" },
    { story: "space behind", body: "5 \r\nhello\r\n0\r\n\r\n" },
    { story: "tab behind", body: "5\t\r\nhello\r\n0\r\n\r\n" },
    { story: "letters", body: "5g\r\nhello\r\n0\r\n\r\n" },
    { story: "a comma", body: "5,5\r\nhello\r\n0\r\n\r\n" },
    { story: "2^53", body: "20000000000000\r\n" },
    { story: "2^64 + 5, which wraps to 5", body: "10000000000000005\r\nhello\r\n0\r\n\r\n" },
    { story: "17 digits", body: "00000000000000005\r\nhello\r\n0\r\n\r\n" },
    { story: "a bare CR in an extension", body: "5;a\rb\r\nhello\r\n0\r\n\r\n" },
    { story: "a bare LF in an extension", body: "5;a\nb\r\nhello\r\n0\r\n\r\n" },
    { story: "NUL in an extension", body: "5;a\0\r\nhello\r\n0\r\n\r\n" },
    { story: "an extension without end", body: `5;${LONG}` },
    { story: "many small extensions", body: `1;${"x".repeat(98)}\r\na\r\n`.repeat(200) },
    { story: "white space without end", body: `5${" ".repeat(LONG.length + 2)}` },
    { story: "a folded trailer", body: "0\r\na: b\r\n c\r\n\r\n" },
    { story: "a trailer that begins with a fold", body: "0\r\n a: b\r\n\r\n" },
    { story: "space before the colon", body: "0\r\na : b\r\n\r\n" },
    { story: "a trailer without name", body: "0\r\n: b\r\n\r\n" },
    { story: "a trailer without colon", body: "0\r\nab\r\n\r\n" },
    { story: "a bare LF in a trailer", body: "0\r\na: b\nc: d\r\n\r\n" },
    { story: "a bare CR in a trailer", body: "0\r\na: b\rc: d\r\n\r\n" },
    { story: "NUL in a trailer", body: "0\r\na: \0\r\n\r\n" },
    { story: "a trailer without end", body: `0\r\na: ${"b".repeat(9000)}` },
    { story: "65 trailers", body: `0\r\n${"a: b\r\n".repeat(65)}\r\n` },
  ])("refuses $story", ({ body }) => {
    expect(decode([latin1(body)]).state).toBe("bad");
  });

  test("trailers are kept, but not those that would change the message", () => {
    const lines = [
      "X-Sum: 1",
      "content-length: 5",
      "Transfer-Encoding: chunked",
      "Host: evil",
      'ETag:\t"x" ',
      "X-Empty: \t",
      "X-Wide:\xa0a  b\xa0",
    ];
    const { state, trailers } = decode([latin1(`0\r\n${lines.join("\r\n")}\r\n\r\n`)]);
    expect(state).toBe("done");
    expect(trailers).toEqual([
      ["x-sum", "1"],
      ["etag", '"x"'],
      ["x-empty", ""],
      ["x-wide", "\xa0a  b\xa0"],
    ]);
  });

  test.each([
    { story: "exactly as much", max: 5, state: "done" },
    { story: "one too many", max: 4, state: "large" },
    { story: "the second chunk is too much", max: 3, state: "large" },
  ])("$story: $max is $state", ({ max, state }) => {
    expect<string>(decode([latin1("3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")], max).state).toBe(state);
  });

  test("too large is known from the size alone", () => {
    expect(decode([latin1("ffffffff\r\n")], 100)).toMatchObject({ state: "large", data: "" });
  });

  test("after the end, after a fault: nothing more is read", () => {
    const decoder = new ChunkedDecoder(10);
    const none = () => expect.unreachable();
    expect(decoder.push(latin1("0\r\n\r\n"), 0, 5, none)).toBe(5);
    expect(decoder.push(latin1("x"), 0, 1, none)).toBe(0);
    const broken = new ChunkedDecoder(10);
    broken.push(latin1("x"), 0, 1, none);
    expect(broken.push(latin1("0\r\n\r\n"), 0, 5, none)).toBe(0);
    expect(broken.state).toBe("bad");
  });
});

describe("what is written", () => {
  test.each([
    [1, "1\r\n"],
    [15, "f\r\n"],
    [16, "10\r\n"],
    [65_536, "10000\r\n"],
    [Number.MAX_SAFE_INTEGER, "1fffffffffffff\r\n"],
  ])("the head of %d bytes", (length, text) => {
    const into = new Uint8Array(MAX_CHUNK_HEAD + 3);
    const end = writeChunkHead(length, into, 3);
    expect(Buffer.from(into.subarray(3, end)).toString()).toBe(text);
    expect(into.subarray(0, 3)).toEqual(new Uint8Array(3));
  });
});

describe("for any bytes", () => {
  test("what is written is read, however it is cut", () => {
    fc.assert(readsWhatIsWritten);
  });
  test("the verdict does not depend on the cuts, and a plain reader agrees with it", () => {
    fc.assert(sameAsPlainReader, { numRuns: 2000 });
  });
});
