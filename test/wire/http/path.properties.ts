import { expect } from "bun:test";

import fc from "fast-check";

import { decodeTarget } from "../../../src/wire/http/path.ts";

// What "/" and dot segments mean is the parser's business, so names are anything else.
const segment = fc
  .string({ unit: "binary", minLength: 1, maxLength: 8 })
  .filter((s) => s.isWellFormed() && !/[\p{Cc}/]/u.test(s) && s !== "." && s !== "..");

export const everyPath = fc.property(fc.array(segment), fc.boolean(), (segments, folder) => {
  const end = folder && segments.length > 0 ? "/" : "";
  const target = `/${segments.map(encodeURIComponent).join("/")}${end}`;
  expect(decodeTarget(target)?.path).toBe(`/${segments.join("/")}${end}`);
});

const PIECES = ["/", ".", "..", "%2e", "%2E", "%2f", "//", "\\", "%5c", "a", "?", "%", "%00"];
const hostile = fc
  .array(fc.constantFrom(...PIECES, "%c0%af", "%e2%82%ac", "~", ";", "é"))
  .map((pieces) => `/${pieces.join("")}`);

export const staysInside = fc.property(fc.oneof(hostile, fc.webUrl(), fc.string()), (target) => {
  const decoded = decodeTarget(target);
  if (decoded === undefined || decoded.path === "*") return;
  const { path } = decoded;
  expect(path).toStartWith("/");
  expect(path).not.toMatch(/\/\/|\/\.\.?(\/|$)/);
  expect([...path].filter((c) => c < " " || c === "\x7f")).toEqual([]);
  const again = path.split("/").map(encodeURIComponent).join("/");
  expect(decodeTarget(again)?.path).toBe(path);
});

/** The platform forgives climbing above the root; we do not. */
export const dotsAsThePlatform = fc.property(
  fc.array(fc.constantFrom("a", "b", ".", "..", "%2e", ".%2E", "..."), { minLength: 1 }),
  (pieces) => {
    const target = `/${pieces.join("/")}`;
    const decoded = decodeTarget(target);
    if (decoded) expect(decoded.path).toBe(new URL(target, "http://x").pathname);
  },
);
