import { describe, expect, test } from "bun:test";
import { createHash, createHmac } from "node:crypto";

import fc from "fast-check";

import { canonicalQuery, parseQuery } from "../../../src/wire/s3/canonical.ts";
import { AwsChunked } from "../../../src/wire/s3/chunked.ts";
import {
  emitAuthorization,
  parseAuthorization,
  parsePresigned,
} from "../../../src/wire/s3/credential.ts";
import {
  type Hashes,
  parseTime,
  showTime,
  signChunk,
  signingKey,
  signRequest,
} from "../../../src/wire/s3/signature.ts";

const hashes: Hashes = {
  sha256: (data) => createHash("sha256").update(data).digest("hex"),
  hmac: (key, text) => createHmac("sha256", key).update(text).digest(),
};

// "Signature Calculations for the Authorization Header" and the two pages behind it, Amazon S3 API Reference.
const SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const TIME = "20130524T000000Z";
const scope = { date: "20130524", region: "us-east-1", service: "s3" };
const key = signingKey(hashes, SECRET, scope);
const EMPTY = hashes.sha256("");
const host = ["host", "examplebucket.s3.amazonaws.com"] as const;
const date = ["x-amz-date", TIME] as const;
const WELCOME = hashes.sha256("Welcome to Amazon S3.");

test.each([
  {
    story: "GET object",
    request: {
      method: "GET",
      path: "/test.txt",
      query: [],
      headers: [host, ["range", "bytes=0-9"], ["x-amz-content-sha256", EMPTY], date],
      payload: EMPTY,
    },
    signature: "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
  },
  {
    story: "PUT object",
    request: {
      method: "PUT",
      path: "/test$file.text",
      query: [],
      headers: [
        ["date", "Fri, 24 May 2013 00:00:00 GMT"],
        host,
        ["x-amz-content-sha256", WELCOME],
        date,
        ["x-amz-storage-class", "REDUCED_REDUNDANCY"],
      ],
      payload: WELCOME,
    },
    signature: "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
  },
  {
    story: "GET bucket lifecycle",
    request: {
      method: "GET",
      path: "/",
      query: [["lifecycle", ""]],
      headers: [host, ["x-amz-content-sha256", EMPTY], date],
      payload: EMPTY,
    },
    signature: "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
  },
  {
    story: "GET bucket (list objects)",
    request: {
      method: "GET",
      path: "/",
      query: [
        ["prefix", "J"],
        ["max-keys", "2"],
      ],
      headers: [host, ["x-amz-content-sha256", EMPTY], date],
      payload: EMPTY,
    },
    signature: "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
  },
  {
    story: "presigned URL",
    request: {
      method: "GET",
      path: "/test.txt",
      query: [
        ["X-Amz-Algorithm", "AWS4-HMAC-SHA256"],
        ["X-Amz-Credential", "AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request"],
        ["X-Amz-Date", TIME],
        ["X-Amz-Expires", "86400"],
        ["X-Amz-SignedHeaders", "host"],
      ],
      headers: [host],
      payload: "UNSIGNED-PAYLOAD",
    },
    signature: "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404",
  },
] as const)("AWS's own example: $story", ({ request, signature }) => {
  expect(signRequest(hashes, key, scope, TIME, request)).toBe(signature);
});

test("AWS's own example: a body in signed chunks", () => {
  const seed = signRequest(hashes, key, scope, TIME, {
    method: "PUT",
    path: "/examplebucket/chunkObject.txt",
    query: [],
    headers: [
      ["content-encoding", "aws-chunked"],
      ["content-length", "66824"],
      ["host", "s3.amazonaws.com"],
      ["x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"],
      ["x-amz-date", TIME],
      ["x-amz-decoded-content-length", "66560"],
      ["x-amz-storage-class", "REDUCED_REDUNDANCY"],
    ],
    payload: "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
  });
  expect(seed).toBe("4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9");
  let before = seed;
  const signed = [65_536, 1024, 0].map((length) => {
    before = signChunk(hashes, key, scope, TIME, before, new Uint8Array(length).fill(97));
    return before;
  });
  expect(signed).toEqual([
    "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
    "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
    "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9",
  ]);
});

test.each([
  { story: "sorted by name", query: "b=2&a=1", canonical: "a=1&b=2" },
  { story: "and by value", query: "a=2&a=1", canonical: "a=1&a=2" },
  { story: "a name alone", query: "uploads", canonical: "uploads=" },
  { story: "escaped once", query: "prefix=a%2Fb+c*", canonical: "prefix=a%2Fb%20c%2A" },
])("a query is $story", ({ query, canonical }) => {
  expect(canonicalQuery(parseQuery(query) ?? [])).toBe(canonical);
});

test("an escape that is none", () => {
  expect(parseQuery("a=%zz")).toBeUndefined();
});

describe("credentials", () => {
  const written = {
    accessKey: "AKIAIOSFODNN7EXAMPLE",
    scope,
    signedHeaders: ["host", "x-amz-date"],
    signature: "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
  };
  test("are read as they are written", () => {
    expect(parseAuthorization(emitAuthorization(written))).toEqual(written);
  });
  test.each([
    "",
    "Basic abc",
    "AWS4-HMAC-SHA256",
    "AWS4-HMAC-SHA256 Credential=a/20130524/us-east-1/s3/aws4_request,SignedHeaders=host,Signature=12",
    "AWS4-HMAC-SHA256 Credential=20130524/us-east-1/s3/aws4_request,SignedHeaders=host",
  ])("%p is none", (text) => {
    expect(parseAuthorization(text)).toBeUndefined();
  });
  test("a URL good for longer than a week is no good", () => {
    const query = (expires: string) =>
      parsePresigned([
        ["X-Amz-Algorithm", "AWS4-HMAC-SHA256"],
        ["X-Amz-Credential", "A/20130524/us-east-1/s3/aws4_request"],
        ["X-Amz-Date", TIME],
        ["X-Amz-Expires", expires],
        ["X-Amz-SignedHeaders", "host"],
        ["X-Amz-Signature", written.signature],
      ]);
    expect(query("604800")?.expires).toBe(604_800);
    expect(query("604801")).toBeUndefined();
  });
  test("whatever text comes, it is read or it is not", () => {
    fc.assert(fc.property(fc.string(), (text) => void parseAuthorization(text)));
  });
});

test("times are read as they are written", () => {
  expect(showTime(Date.UTC(2013, 4, 24))).toBe(TIME);
  expect(parseTime(TIME)).toBe(Date.UTC(2013, 4, 24));
  expect(parseTime("20131324T000000Z")).toBeUndefined();
});

describe("aws-chunked", () => {
  const utf8 = new TextEncoder();
  const read = (text: string, cut: number) => {
    const chunked = new AwsChunked();
    const bytes = utf8.encode(text);
    const pieces: unknown[] = [];
    for (let at = 0; at < bytes.length; at += cut) {
      const some = chunked.feed(bytes.slice(at, at + cut));
      if (some === "invalid") return some;
      pieces.push(
        ...some.map((one) =>
          one.kind === "chunk" ? new TextDecoder().decode(one.bytes) : one.value,
        ),
      );
    }
    return chunked.done ? pieces : "open";
  };
  const sig = "a".repeat(64);
  test.each([
    {
      story: "signed",
      text: `3;chunk-signature=${sig}\r\nabc\r\n0;chunk-signature=${sig}\r\n\r\n`,
      is: ["abc", ""],
    },
    {
      story: "with a trailer",
      text: "3\r\nabc\r\n0\r\nx-amz-checksum-crc32:AAAA\r\n\r\n",
      is: ["abc", "", "AAAA"],
    },
    { story: "empty", text: "0\r\n\r\n", is: [""] },
    { story: "cut", text: "3\r\nab", is: "open" },
    { story: "without its end", text: "3\r\nabc\r\n0\r\n", is: "open" },
    { story: "longer than it says", text: "3\r\nabcd\r\n", is: "invalid" },
    { story: "with more behind it", text: "0\r\n\r\nmore", is: "invalid" },
    { story: "of no length", text: "zz\r\n", is: "invalid" },
    { story: "of chunks too large", text: "ffffffff\r\n", is: "invalid" },
  ])("a body $story", ({ text, is }) => {
    for (const cut of [1, 2, 7, 1000]) expect<unknown>(read(text, cut)).toEqual(is);
  });
  test("whatever is cut wherever, the bytes are the same", () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ minLength: 1, maxLength: 50 })),
        fc.integer({ min: 1, max: 60 }),
        (chunks, cut) => {
          const body = Buffer.concat([
            ...chunks.flatMap((one) => [
              Buffer.from(`${one.length.toString(16)}\r\n`),
              one,
              Buffer.from("\r\n"),
            ]),
            Buffer.from("0\r\n\r\n"),
          ]);
          const reader = new AwsChunked();
          const got: Uint8Array[] = [];
          for (let at = 0; at < body.length; at += cut) {
            const pieces = reader.feed(body.subarray(at, at + cut));
            if (pieces === "invalid") throw new Error(pieces);
            for (const piece of pieces) if (piece.kind === "chunk") got.push(piece.bytes.slice());
          }
          expect(reader.done).toBe(true);
          expect(Buffer.concat(got)).toEqual(Buffer.concat(chunks));
        },
      ),
    );
  });
});
