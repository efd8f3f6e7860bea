import { describe, expect, test } from "bun:test";

import fc from "fast-check";

import { multipart } from "../../../src/wire/http/multipart.ts";

/** What goes over the wire for these ranges of `content`. */
function sent(content: Uint8Array, made: ReturnType<typeof multipart>): Uint8Array {
  const pieces: Uint8Array[] = [];
  for (const { head, range } of made.parts)
    pieces.push(head, content.subarray(range.offset, range.offset + range.length));
  return new Uint8Array(Buffer.concat([...pieces, made.tail]));
}

describe("multipart/byteranges", () => {
  test("looks as RFC 9110, 14.6 draws it", () => {
    const content = new TextEncoder().encode("0123456789");
    const ranges = [
      { offset: 0, length: 2 },
      { offset: 7, length: 3 },
    ];
    const made = multipart(ranges, 10, "text/plain", "THIS");
    expect(made.contentType).toBe("multipart/byteranges; boundary=THIS");
    expect(new TextDecoder().decode(sent(content, made)).split("\r\n")).toEqual([
      "--THIS",
      "Content-Type: text/plain",
      "Content-Range: bytes 0-1/10",
      "",
      "01",
      "--THIS",
      "Content-Type: text/plain",
      "Content-Range: bytes 7-9/10",
      "",
      "789",
      "--THIS--",
      "",
    ]);
  });

  test("the length it announces is the length it has, and every part can be cut out again", () => {
    const run = fc.record({ offset: fc.nat(90), length: fc.integer({ min: 1, max: 10 }) });
    fc.assert(
      fc.property(
        fc.array(run, { minLength: 1 }),
        fc.uint8Array({ minLength: 100, maxLength: 100 }),
        (ranges, content) => {
          const made = multipart(ranges, 100, "image/png", "b0undary");
          const bytes = sent(content, made);
          expect(bytes.length).toBe(made.length);
          const parts = Buffer.from(bytes).toString("latin1").split("--b0undary").slice(1, -1);
          const bodies = parts.map((part) => part.slice(part.indexOf("\r\n\r\n") + 4, -2));
          const wanted = ranges.map((r) => content.subarray(r.offset, r.offset + r.length));
          expect(bodies).toEqual(wanted.map((w) => Buffer.from(w).toString("latin1")));
        },
      ),
    );
  });
});
