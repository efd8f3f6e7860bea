import { expect } from "bun:test";

import fc from "fast-check";

import {
  CHUNK_END,
  ChunkedDecoder,
  LAST_CHUNK,
  MAX_CHUNK_HEAD,
  writeChunkHead,
} from "../../../src/wire/http1/chunked.ts";
import { amidst, latin1 } from "../canary.ts";

/** Feed `pieces` one after the other, as a socket would. */
export function decode(pieces: readonly Uint8Array[], max = Number.MAX_SAFE_INTEGER) {
  const decoder = new ChunkedDecoder(max);
  let data = "";
  let rest = "";
  for (const piece of pieces) {
    const [placed] = amidst(piece, "");
    if (placed === undefined) throw new Error("nothing placed");
    const { bytes, from, to } = placed;
    const end = decoder.push(bytes, from, to, (a, b) => {
      data += Buffer.from(bytes.subarray(a, b)).toString("latin1");
    });
    rest += Buffer.from(bytes.subarray(end, to)).toString("latin1");
  }
  return { state: decoder.state, data, rest, trailers: decoder.trailers, length: decoder.length };
}

function encode(chunks: readonly Uint8Array[]): Uint8Array {
  const head = new Uint8Array(MAX_CHUNK_HEAD);
  const framed = chunks.flatMap((c) => [
    head.slice(0, writeChunkHead(c.length, head, 0)),
    c,
    CHUNK_END,
  ]);
  return Uint8Array.from(Buffer.concat([...framed, LAST_CHUNK]));
}

/** Cut at these places, in order. */
function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const at = [
    0,
    ...places.map((p) => p % (bytes.length + 1)).toSorted((a, b) => a - b),
    bytes.length,
  ];
  return at.slice(1).map((to, i) => bytes.subarray(at[i], to));
}

/** What RFC 9112, 7.1 allows, in one pattern; data is cut by the sizes. */
function naive(text: string): { data: string; rest: string } | "bad or more" {
  let at = 0;
  let data = "";
  for (;;) {
    const line = /^([0-9a-fA-F]{1,16})(?:[ \t]*;[\t\x20-\x7e\x80-\xff]*)?\r\n/.exec(text.slice(at));
    if (!line) return "bad or more";
    at += line[0].length;
    const size = Number.parseInt(line[1] ?? "", 16);
    if (size === 0) break;
    if (text.slice(at + size, at + size + 2) !== "\r\n") return "bad or more";
    data += text.slice(at, at + size);
    at += size + 2;
  }
  const end = /^(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\xff]*\r\n)*\r\n/.exec(
    text.slice(at),
  );
  return end ? { data, rest: text.slice(at + end[0].length) } : "bad or more";
}

const chunks = fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { maxLength: 6 });
const places = fc.array(fc.nat(), { maxLength: 6 });
const token = fc.constantFrom(
  "0",
  "1",
  "2",
  "a",
  "\r\n",
  "\r\n\r\n",
  "\r",
  "\n",
  ";",
  "x: y",
  " ",
  "\t",
  ":",
  "\0",
  "3\r\nabc\r\n",
  "0\r\n",
);
const soup = fc.oneof(
  fc.array(token).map((t) => t.join("")),
  fc.uint8Array().map((b) => String.fromCharCode(...b)),
);

export const readsWhatIsWritten = fc.property(
  chunks,
  fc.uint8Array({ maxLength: 9 }),
  places,
  (list, next, at) => {
    const whole = Buffer.concat([encode(list), next]);
    expect(decode(cut(new Uint8Array(whole), at))).toEqual({
      state: "done",
      data: Buffer.concat(list).toString("latin1"),
      rest: Buffer.from(next).toString("latin1"),
      trailers: [],
      length: list.reduce((sum, c) => sum + c.length, 0),
    });
  },
);

export const sameAsPlainReader = fc.property(soup, places, (text, at) => {
  const bytes = latin1(text);
  const whole = decode([bytes]);
  expect({ ...decode(cut(bytes, at)), rest: "" }).toEqual({ ...whole, rest: "" });
  const plain = naive(text);
  if (whole.state === "done") expect(plain).toEqual({ data: whole.data, rest: whole.rest });
  else expect(plain).toBe("bad or more");
});
