import { describe, expect, test } from "bun:test";

import fc from "fast-check";

import { decodeTarget, decodeTargetForOthers } from "../../../src/wire/http/path.ts";
import { dotsAsThePlatform, everyPath, staysInside } from "./path.properties.ts";

describe("targets become paths", () => {
  test.each([
    { story: "root", target: "/", path: "/" },
    { story: "plain", target: "/a/b.html", path: "/a/b.html" },
    { story: "a folder", target: "/a/", path: "/a/" },
    { story: "query", target: "/a?b=c%20d&e", path: "/a", query: "b=c%20d&e" },
    { story: "a question in the query", target: "/a?b?c", path: "/a", query: "b?c" },
    {
      story: "dots and slashes in the query stay",
      target: "/a?/../..//",
      path: "/a",
      query: "/../..//",
    },
    { story: "empty query", target: "/a?", path: "/a" },
    { story: "query of the root", target: "/?x", path: "/", query: "x" },
    { story: "space", target: "/a%20b", path: "/a b" },
    { story: "UTF-8", target: "/%e2%82%AC", path: "/€" },
    { story: "four bytes of UTF-8", target: "/%F0%9F%90%A6", path: "/🐦" },
    { story: "a byte-order mark is a character", target: "/%EF%BB%BFa", path: "/\u{feff}a" },
    { story: "an escaped question mark", target: "/a%3Fb", path: "/a?b" },
    { story: "an escaped hash", target: "/a%23b", path: "/a#b" },
    { story: "an escaped percent, once", target: "/%252e%252e/a", path: "/%2e%2e/a" },
    { story: "plus is plus", target: "/a+b", path: "/a+b" },
    { story: "semicolon is itself", target: "/a;b=c/d", path: "/a;b=c/d" },
    { story: "backslash is itself", target: "/a\\..\\b", path: "/a\\..\\b" },
    { story: "escaped backslash too", target: "/a%5C..%5cb", path: "/a\\..\\b" },
    { story: "one dot", target: "/a/./b", path: "/a/b" },
    { story: "two dots", target: "/a/b/../c", path: "/a/c" },
    { story: "ends in a dot", target: "/a/.", path: "/a/" },
    { story: "ends in two dots", target: "/a/b/..", path: "/a/" },
    { story: "back to the root", target: "/a/..", path: "/" },
    { story: "escaped dots", target: "/a/%2e%2E/b", path: "/b" },
    { story: "half escaped dots", target: "/a/.%2e/b", path: "/b" },
    { story: "three dots are a name", target: "/a/.../b", path: "/a/.../b" },
    { story: "a dotfile", target: "/.well-known/x", path: "/.well-known/x" },
    { story: "an escaped dotfile", target: "/%2ehtaccess", path: "/.htaccess" },
    { story: "two slashes", target: "/a//b", path: "/a/b" },
    { story: "slashes at both ends", target: "///a///", path: "/a/" },
    { story: "empty segments give nothing to climb", target: "/a//../b", path: "/b" },
    { story: "a host in disguise", target: "//evil.example/a", path: "/evil.example/a" },
    { story: "asterisk", target: "*", path: "*" },
    {
      story: "absolute",
      target: "http://example.net/a?b",
      path: "/a",
      query: "b",
      host: "example.net",
    },
    {
      story: "absolute without path",
      target: "http://example.net",
      path: "/",
      host: "example.net",
    },
    {
      story: "only with query",
      target: "http://example.net?b",
      path: "/",
      query: "b",
      host: "example.net",
    },
    {
      story: "absolute, port and case",
      target: "HTTPS://Example.NET:8443/A",
      path: "/A",
      host: "example.net",
    },
    { story: "absolute with IPv6", target: "http://[::1]:80/a", path: "/a", host: "[::1]" },
    { story: "absolute with dots", target: "http://a/b/../c", path: "/c", host: "a" },
  ])("$story: $target", ({ target, path, query = "", host = "" }) => {
    expect(decodeTarget(target)).toEqual({ path, query, host });
  });

  test.each([
    ["nothing", ""],
    ["no slash", "a"],
    ["dots above the root", "/.."],
    ["and further", "/a/../../b"],
    ["escaped", "/%2e%2e/etc/passwd"],
    ["half escaped", "/.%2e/etc/passwd"],
    ["behind empty segments", "//../etc/passwd"],
    ["and in the absolute form", "http://a/../b"],
    ["an encoded slash", "/a%2fb"],
    ["in capitals", "/a%2Fb"],
    ["hiding dots", "/..%2f..%2fetc"],
    ["NUL", "/a%00.html"],
    ["an escaped line feed", "/a%0ab"],
    ["an escaped DEL", "/a%7f"],
    ["escape, the control", "/%1b"],
    ["a bare percent", "/a%"],
    ["one digit", "/a%2"],
    ["no digits", "/a%zz"],
    ["a sign for a digit", "/a%+1"],
    ["a space for a digit", "/a% 1"],
    ["UTF-16 escapes", "/%u002e%u002e/"],
    ["overlong slash", "/..%c0%af"],
    ["overlong dot", "/%c0%ae%c0%ae/"],
    ["a lone continuation", "/%80"],
    ["a cut sequence", "/%e2%82"],
    ["a surrogate", "/%ed%a0%80"],
    ["beyond Unicode", "/%f4%90%80%80"],
    ["Latin-1", "/caf%e9"],
    ["a raw byte above ASCII", "/caf\u{e9}"],
    ["a raw character", "/€"],
    ["a raw space", "/a b"],
    ["a raw line feed", "/a\nb"],
    ["a raw NUL in the query", "/a?\0"],
    ["a fragment", "/a#b"],
    ["a fragment in the query", "/a?b#c"],
    ["authority form", "example.net:443"],
    ["another scheme", "ftp://example.net/"],
    ["a scheme without authority", "http:/a"],
    ["an empty authority", "http:///a"],
    ["user information", "http://user@example.net/"],
    ["a bad port", "http://example.net:99999/"],
    ["two stars", "**"],
  ])("refuses %s", (_, target) => {
    expect(decodeTarget(target)).toBeUndefined();
  });

  test("every path can be asked for", () => {
    fc.assert(everyPath);
  });
  test("no target leaves the root, and what is safe stays the same", () => {
    fc.assert(staysInside, { numRuns: 1000 });
  });
  test("agrees with the platform's URL on dots", () => {
    fc.assert(dotsAsThePlatform);
  });
});

describe("targets that other servers will understand", () => {
  test.each([
    { target: "/a%2Fb", path: "/a/b" },
    { target: "/a%2f..%2fb", path: "/b" },
    { target: "/a/%2e%2e%2fb", path: "/b" },
    { target: "/%fc", path: "/\ufffd" },
    { target: "/a%0ab", path: "/a\nb" },
    { target: "/a%252Fb", path: "/a%2Fb" },
    { target: "/a//b", path: "/a/b" },
    { target: "/a%00b", path: undefined },
    { target: "/a%zz", path: undefined },
    { target: "/a%", path: undefined },
    { target: "/../a", path: undefined },
    { target: "/%2e%2e%2fa", path: undefined },
  ])("$target: $path", ({ target, path }) => {
    expect(decodeTargetForOthers(target)?.path).toBe(path as string);
  });
});
