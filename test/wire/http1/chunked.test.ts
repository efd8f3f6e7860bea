import { describe, expect, test } from "bun:test";

import fc from "fast-check";

import { ChunkedDecoder, MAX_CHUNK_HEAD, writeChunkHead } from "../../../src/wire/http1/chunked.ts";
import { latin1 } from "../canary.ts";
import { decode, readsWhatIsWritten, sameAsPlainReader } from "./chunked.properties.ts";
import { refusedChunks } from "./refused-chunks.ts";

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

  test.each(refusedChunks)("refuses $story", ({ body }) => {
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
