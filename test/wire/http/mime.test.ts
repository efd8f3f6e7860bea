import { describe, expect, test } from "bun:test";

import fc from "fast-check";

import { extensionOf, typeOf, UNKNOWN_TYPE } from "../../../src/wire/http/mime.ts";

describe("typeOf", () => {
  test.each([
    ["index.html", "text/html; charset=utf-8"],
    ["INDEX.HTM", "text/html; charset=utf-8"],
    ["a/b.d/style.css", "text/css; charset=utf-8"],
    ["app.js", "text/javascript; charset=utf-8"],
    ["app.mjs", "text/javascript; charset=utf-8"],
    ["notes.txt", "text/plain; charset=utf-8"],
    ["data.json", "application/json"],
    ["feed.xml", "text/xml; charset=utf-8"],
    ["logo.svg", "image/svg+xml"],
    ["photo.jpeg", "image/jpeg"],
    ["photo.webp", "image/webp"],
    ["photo.avif", "image/avif"],
    ["favicon.ico", "image/x-icon"],
    ["font.woff2", "font/woff2"],
    ["app.wasm", "application/wasm"],
    ["film.mp4", "video/mp4"],
    ["film.mkv", "video/x-matroska"],
    ["sound.flac", "audio/flac"],
    ["paper.pdf", "application/pdf"],
    ["a.tar.gz", "application/gzip"],
    ["a.zst", "application/zstd"],
    ["segment.ts", "video/mp2t"],
    ["Makefile", UNKNOWN_TYPE],
    ["html", UNKNOWN_TYPE],
    ["a.html/b", UNKNOWN_TYPE],
    ["x.constructor", UNKNOWN_TYPE],
    ["x.__proto__", UNKNOWN_TYPE],
    ["ends.with.", UNKNOWN_TYPE],
    ["", UNKNOWN_TYPE],
  ])("%s is %s", (name, type) => {
    expect(typeOf(name, {})).toBe(type);
  });

  test.each([
    ["readme.md", { md: "text/plain" }, "text/plain; charset=utf-8"],
    ["old.html", { html: "text/html; charset=iso-8859-1" }, "text/html; charset=iso-8859-1"],
    ["a.weird", { weird: "application/x-weird" }, "application/x-weird"],
    ["A.PNG", { png: "image/apng" }, "image/apng"],
  ])("%s under %o is %s", (name, overrides, type) => {
    expect(typeOf(name, overrides)).toBe(type);
  });

  test("any name has a type, by its last extension only", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "binary" }),
        fc.constantFrom("html", "png", "zip"),
        (name, ext) => {
          expect(typeOf(name, {})).toContain("/");
          expect(extensionOf(`${name}.${ext}`)).toBe(ext);
          expect(typeOf(`${name}.${ext}`, {})).toBe(typeOf(`x.${ext}`, {}));
        },
      ),
    );
  });
});
