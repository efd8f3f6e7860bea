import { describe, expect, test } from "bun:test";

import fc from "fast-check";

import { emitResponseHead, isSendable, reasonOf } from "../../../src/wire/http1/response-head.ts";

function written(status: number, fields: readonly (readonly [string, string])[]): string {
  return Buffer.from(emitResponseHead(status, fields)).toString("latin1");
}

describe("a response head", () => {
  test("is a status line, fields and an empty line", () => {
    expect(
      written(200, [
        ["Content-Type", "text/plain"],
        ["X", ""],
      ]),
    ).toBe("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nX: \r\n\r\n");
    expect(written(299, [])).toBe("HTTP/1.1 299 \r\n\r\n"); // 4: the space stays without a phrase
    expect(reasonOf(416)).toBe("Range Not Satisfiable");
  });

  test.each([
    { story: "CRLF in a value", field: ["X", "a\r\nSet-Cookie: evil"] as const },
    { story: "a bare LF", field: ["X", "a\nb"] as const },
    { story: "a bare CR", field: ["X", "a\rb"] as const },
    { story: "NUL", field: ["X", "a\0b"] as const },
    { story: "DEL", field: ["X", "a\x7f"] as const },
    { story: "a letter whose low byte is LF", field: ["X", "aĊb"] as const },
    { story: "a letter whose low byte is CR", field: ["X", "ač"] as const },
    { story: "CRLF in a name", field: ["X\r\nY", "a"] as const },
    { story: "a colon in a name", field: ["X:Y", "a"] as const },
    { story: "a space in a name", field: ["X ", "a"] as const },
    { story: "no name", field: ["", "a"] as const },
    { story: "a line feed at the end", field: ["X", "a\n"] as const },
    { story: "and at the end of a name", field: ["X\n", "a"] as const },
  ])("leaves out a field with $story", ({ field }) => {
    expect(written(200, [["A", "1"], field, ["B", "2"]])).toBe(
      "HTTP/1.1 200 OK\r\nA: 1\r\nB: 2\r\n\r\n",
    );
    expect(isSendable(field[0], field[1])).toBe(false);
  });

  test("Latin-1 is kept as it is", () => {
    expect(written(200, [["X", "caf\u{e9}\tau lait"]])).toContain("X: caf\u{e9}\tau lait\r\n");
  });

  test("whatever the fields, a reader finds just those that may be sent", () => {
    const text = fc.oneof(
      fc.string({ unit: fc.constantFrom(..."Aa-:; \t\r\n\0Ċčé") }),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(text, text), { maxLength: 8 }), (fields) => {
        const [line, ...rest] = written(404, fields).split("\r\n");
        expect(line).toBe("HTTP/1.1 404 Not Found");
        expect(rest.splice(-2)).toEqual(["", ""]);
        const sent = fields.filter(([name, value]) => isSendable(name, value));
        expect(rest).toEqual(sent.map(([name, value]) => `${name}: ${value}`));
      }),
    );
  });
});
