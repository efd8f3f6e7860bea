import { describe, expect, test } from "bun:test";

import { cacheStatus } from "../../../../src/wire/http/caching/cache-status.ts";
import type { Field } from "../../../../src/wire/http/caching/field-list.ts";
import { isAbout, keepable, renewed, validators } from "../../../../src/wire/http/caching/renew.ts";
import { varyKey, varyNames } from "../../../../src/wire/http/caching/vary.ts";

const key = (names: string, fields: Record<string, string>): string =>
  varyKey(varyNames(names), (name) => fields[name] ?? null);

describe("requests that share a response", () => {
  test.each([
    { names: "", a: { x: "1" }, b: { x: "2" } },
    { names: "X", a: { x: "1" }, b: { x: "1", y: "2" } },
    { names: "y, x", a: { x: "1" }, b: { x: " 1 " } },
    { names: "x", a: { x: "a, b" }, b: { x: "a ,b" } },
    {
      names: "accept-encoding",
      a: { "accept-encoding": "gzip, br" },
      b: { "accept-encoding": "br;q=0.5,deflate, GZIP" },
    },
    {
      names: "accept-encoding",
      a: { "accept-encoding": "*" },
      b: { "accept-encoding": "zstd, br, gzip" },
    },
    {
      names: "accept-encoding",
      a: { "accept-encoding": "identity" },
      b: { "accept-encoding": "gzip;q=0" },
    },
    { names: "accept-language", a: { "accept-language": "EN" }, b: { "accept-language": "en" } },
  ])("by $names: $a and $b", ({ names, a, b }) => {
    expect(key(names, a as {})).toBe(key(names, b as {}));
  });
});

describe("requests that do not", () => {
  test.each([
    { names: "x", a: {}, b: { x: "" } },
    { names: "x", a: { x: "1" }, b: { x: "2" } },
    { names: "x, y", a: { x: "1\ny:=2" }, b: { x: "1", y: "2" } },
    { names: "accept-encoding", a: { "accept-encoding": "gzip" }, b: { "accept-encoding": "br" } },
    { names: "accept-encoding", a: {}, b: { "accept-encoding": "" } },
    { names: "cookie", a: { cookie: "A" }, b: { cookie: "a" } },
  ])("by $names: $a and $b", ({ names, a, b }) => {
    expect(key(names, a as {})).not.toBe(key(names, b as {}));
  });
});

test("names are those of the field, in one order", () => {
  expect(varyNames(" Accept ,X,, accept")).toEqual(["accept", "x"]);
  expect(varyNames(undefined)).toEqual([]);
});

test("a 304 brings fields up to date, not the body's", () => {
  const stored: Field[] = [
    ["ETag", '"a"'],
    ["Content-Length", "5"],
    ["Content-Type", "text/plain"],
    ["Cache-Control", "max-age=1"],
    ["Age", "3"],
    ["X", "old"],
    ["Link", "1"],
    ["Link", "2"],
  ];
  const answer: Field[] = [
    ["etag", '"a"'],
    ["content-length", "0"],
    ["content-type", "text/html"],
    ["cache-control", "max-age=9"],
    ["date", "now"],
    ["connection", "close, y"],
    ["y", "1"],
    ["link", "3"],
  ];
  expect(renewed(stored, answer)).toEqual([
    ["ETag", '"a"'],
    ["Content-Length", "5"],
    ["Content-Type", "text/plain"],
    ["X", "old"],
    ["cache-control", "max-age=9"],
    ["date", "now"],
    ["link", "3"],
  ]);
});

test.each([
  { ours: '"a"', theirs: '"a"', is: true },
  { ours: 'W/"a"', theirs: '"a"', is: true },
  { ours: '"a"', theirs: '"b"', is: false },
  { ours: undefined, theirs: '"b"', is: false },
  { ours: '"a"', theirs: undefined, is: true },
])("a 304 with $theirs for $ours: $is", ({ ours, theirs, is }) => {
  const map = (tag: string | undefined) => new Map(tag === undefined ? [] : [["etag", tag]]);
  expect(isAbout(map(ours), map(theirs))).toBe(is);
});

test("both validators are asked with", () => {
  expect(
    validators(
      new Map([
        ["etag", '"a"'],
        ["last-modified", "then"],
      ]),
    ),
  ).toEqual([
    ["If-None-Match", '"a"'],
    ["If-Modified-Since", "then"],
  ]);
  expect(validators(new Map())).toEqual([]);
});

test("fields of the hop are not kept, nor those that are named", () => {
  const fields: Field[] = [
    ["Connection", "X-Hop"],
    ["X-Hop", "1"],
    ["Keep-Alive", "1"],
    ["Set-Cookie", "a=b"],
    ["ETag", '"a"'],
  ];
  expect(keepable(fields, ["set-cookie"])).toEqual([["ETag", '"a"']]);
});

test.each([
  { outcome: { hit: true, ttl: 5.7 }, is: "tern; hit; ttl=5" },
  { outcome: { hit: false, forward: "uri-miss", stored: true }, is: "tern; fwd=uri-miss; stored" },
  {
    outcome: {
      hit: false,
      forward: "stale",
      forwardStatus: 304,
      ttl: -1,
      collapsed: true,
      detail: "memory",
    },
    is: "tern; fwd=stale; fwd-status=304; ttl=-1; collapsed; detail=memory",
  },
] as const)("$is", ({ outcome, is }) => {
  expect(cacheStatus("tern", outcome)).toBe(is);
});
