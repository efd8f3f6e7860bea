import { expect, test } from "bun:test";

import fc from "fast-check";

import { colours } from "../../../src/admin/console/page/parts/yaml-colours.ts";

const seen = (line: string): string =>
  colours(line)
    .filter(({ kind }) => kind !== "plain" && kind !== "mark")
    .map(({ kind, text }) => `${kind} ${text}`)
    .join(" | ");

test.each([
  { line: "workers: 2 # two", parts: "key workers | value 2 | comment # two" },
  { line: "    - { name: a, tls: true }", parts: "key name | key tls | value true" },
  { line: "  - 10.0.0.1:80", parts: "" },
  { line: 'root: "a # b"', parts: 'key root | text "a # b"' },
  { line: "color: a#b", parts: "key color" },
  { line: "# all of it: comment", parts: "comment # all of it: comment" },
  { line: '"5xx": /sorry.html', parts: 'key "5xx"' },
])("$line", ({ line, parts }) => expect(seen(line)).toBe(parts));

test("the stretches are the line again", () => {
  const word = fc.constantFrom(
    "a",
    "b: ",
    "- ",
    "#",
    " ",
    '"',
    "'",
    "{",
    "}",
    ",",
    ":",
    "true",
    "1.5",
    "\\",
  );
  fc.assert(
    fc.property(fc.array(word), (words) => {
      const line = words.join("");
      expect(
        colours(line)
          .map((stretch) => stretch.text)
          .join(""),
      ).toBe(line);
    }),
  );
});
