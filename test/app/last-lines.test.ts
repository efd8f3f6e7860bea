import { expect, test } from "bun:test";

import { LastLines } from "../../src/app/last-lines.ts";

test.each([
  {
    story: "pieces make lines",
    pieces: ["one\ntw", "o\nthr"],
    lines: ["one", "two"],
    text: "one\ntwo\nthr",
  },
  { story: "only the last stay", pieces: ["a\nb\nc\n"], lines: ["a", "b", "c"], text: "b\nc" },
  { story: "nothing said", pieces: [], lines: [], text: "" },
  { story: "no end of line", pieces: ["abc"], lines: [], text: "abc" },
])("$story", ({ pieces, lines, text }) => {
  const last = new LastLines(2);
  expect(pieces.flatMap((piece) => last.push(piece))).toEqual([...lines]);
  expect(last.text).toBe(text);
});

test("a line without end does not fill the memory", () => {
  const last = new LastLines(2);
  for (let i = 0; i < 100; i++) last.push("x".repeat(1000));
  expect(last.text.length).toBeLessThanOrEqual(2000);
});
