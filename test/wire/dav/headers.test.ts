import { describe, expect, test } from "bun:test";

import fc from "fast-check";

import { parseContentRange } from "../../../src/wire/dav/content-range.ts";
import { parseDepth } from "../../../src/wire/dav/depth.ts";
import { parseReference, sameAuthority } from "../../../src/wire/dav/destination.ts";
import { emitLockToken, parseLockToken } from "../../../src/wire/dav/lock-token.ts";
import { parseOverwrite } from "../../../src/wire/dav/overwrite.ts";
import { emitTimeout, parseTimeout } from "../../../src/wire/dav/timeout.ts";

describe("Depth", () => {
  test.each([
    ["0", 0],
    ["1", 1],
    ["infinity", "infinity"],
    ["Infinity", "infinity"],
    [" 0 ", 0],
    ["2", undefined],
    ["", undefined],
    ["1,noroot", undefined],
    [null, "infinity"],
  ] as const)("%p is %p", (text, depth) => {
    expect(parseDepth(text, "infinity")).toBe(depth);
  });
});

describe("Overwrite", () => {
  test.each([
    ["T", true],
    ["f", false],
    [null, true],
    ["yes", undefined],
    ["", undefined],
  ] as const)("%p is %p", (text, value) => {
    expect(parseOverwrite(text)).toBe(value);
  });
});

describe("Timeout", () => {
  test.each([
    ["Second-3600", 3600],
    ["second-0", 0],
    ["Infinite", Number.POSITIVE_INFINITY],
    ["Infinite, Second-4100000000", Number.POSITIVE_INFINITY],
    ["Extend-1, Second-10", 10],
    ["Second-99999999999", undefined],
    ["Second--1", undefined],
    ["soon", undefined],
    ["", undefined],
    [null, undefined],
  ] as const)("%p is %p seconds", (text, seconds) => {
    expect(parseTimeout(text)).toBe(seconds);
  });

  test("what it writes, it reads back", () => {
    fc.assert(
      fc.property(fc.nat(), (seconds) => expect(parseTimeout(emitTimeout(seconds))).toBe(seconds)),
    );
  });
});

describe("Lock-Token", () => {
  test.each([
    ["<urn:uuid:1>", "urn:uuid:1"],
    [" <opaquelocktoken:a> ", "opaquelocktoken:a"],
    ["urn:uuid:1", undefined],
    ["<>", undefined],
    ["<a> <b>", undefined],
    ["<a b>", undefined],
    ["", undefined],
    [null, undefined],
  ] as const)("%p is %p", (text, token) => {
    expect(parseLockToken(text)).toBe(token);
  });

  test("what it writes, it reads back", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[!-;=?-~]{1,50}$/), (token) =>
        expect(parseLockToken(emitLockToken(token))).toBe(token),
      ),
    );
  });
});

describe("Destination", () => {
  test.each([
    ["/a/b%20c", { authority: undefined, target: "/a/b%20c" }],
    ["http://host/a", { authority: "host", target: "/a" }],
    ["HTTPS://Host:8443/a?q", { authority: "Host:8443", target: "/a?q" }],
    ["http://host", { authority: "host", target: "/" }],
    ["http://host?q", { authority: "host", target: "/?q" }],
    ["http://user@[::1]:80/a", { authority: "user@[::1]:80", target: "/a" }],
    ["//host/a", undefined],
    ["a/b", undefined],
    ["/a#b", undefined],
    ["http://host/a#b", undefined],
    ["http:///a", undefined],
    ["mailto:a@b", undefined],
    ["/a b", undefined],
    ["", undefined],
    [null, undefined],
  ])("%p is %p", (text, reference) => {
    expect(parseReference(text)).toEqual(reference);
  });

  test.each([
    ["host", "HOST", true],
    ["host:80", "host", true],
    ["host:443", "host", true],
    ["host.", "host", true],
    ["host.:8080", "host:8080", true],
    ["me@host:8080", "host:8080", true],
    ["[::1]:80", "[::1]", true],
    ["host:8080", "host", false],
    ["host:8080", "host:8081", false],
    ["other", "host", false],
  ])("%s and %s are the same: %p", (a, b, same) => {
    expect(sameAuthority(a, b)).toBe(same);
  });
});

describe("Content-Range", () => {
  test.each([
    ["bytes 0-4/10", { first: 0, last: 4, total: 10 }],
    ["bytes 5-5/*", { first: 5, last: 5, total: undefined }],
    ["Bytes 0-0/1", { first: 0, last: 0, total: 1 }],
    ["bytes 5-4/10", undefined],
    ["bytes 0-10/10", undefined],
    ["bytes */10", undefined],
    ["bytes 0-/10", undefined],
    ["bytes 0-99999999999999999/*", undefined],
    ["bytes 0-9007199254740993/*", undefined],
    ["items 0-4/10", undefined],
    ["", undefined],
  ])("%p is %p", (text, range) => {
    expect(parseContentRange(text)).toEqual(range);
  });

  test("no text upsets any of them", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 60 }), (text) => {
        for (const parse of [parseContentRange, parseReference, parseLockToken, parseTimeout])
          parse(text);
      }),
    );
  });
});
