import { expect, test } from "bun:test";

import fc from "fast-check";

import { parseIni } from "../../../src/config/import/ini.ts";

const shown = (text: string) =>
  parseIni(text).settings.map(
    ({ section, name, value, line, overruled }) =>
      `${line} ${section}.${name}=${JSON.stringify(value)}${overruled ? " overruled" : ""}`,
  );

test.each([
  ["a setting", "[a]\nb = c", ['2 a.b="c"']],
  ["a colon for the sign", "[a]\nb: c = d", ['2 a.b="c = d"']],
  ["names are in lower case, sections are not", "[A]\nBig = X", ['2 A.big="X"']],
  ["an empty value", '[a]\nb =\nc = ""', ['2 a.b=""', '3 a.c=""']],
  ["comments", "# x\n; x\nrem x\n[a]\n#b = 1\nc = d ; e\nf = g;h", ['6 a.c="d"', '7 a.f="g;h"']],
  ["a value goes on", "[a]\nb = c,\n  d,\n  e\nf = g", ['2 a.b="c,\\nd,\\ne"', '5 a.f="g"']],
  [
    "the last wins",
    "[a]\nb = 1\n[c]\nb = 2\n[a]\nb = 3",
    ['2 a.b="1" overruled', '4 c.b="2"', '6 a.b="3"'],
  ],
  ["a star for a name", "[3zsd]\n* = 100,127.0.0.1:8080", ['2 3zsd.*="100,127.0.0.1:8080"']],
  ["Windows", "[a]\r\nb = c\r\n", ['2 a.b="c"']],
])("%s", (_, text, settings) => expect(shown(text)).toEqual(settings));

test("what is no INI is told by line", () => {
  const { strange, settings } = parseIni("b = 1\n[a]\nnonsense\n  indented\n= 5\n");
  expect(strange).toEqual([
    { line: 1, text: "b = 1" },
    { line: 3, text: "nonsense" },
    { line: 4, text: "indented" },
    { line: 5, text: "= 5" },
  ]);
  expect(settings).toEqual([]);
});

test("a setting that is written is read, whatever is around it", () => {
  const word = fc.stringMatching(/^[a-z][a-z0-9_.]{0,10}$/).filter((word) => word !== "rem");
  const value = fc.stringMatching(/^[a-z0-9,:./-]{0,20}$/);
  fc.assert(
    fc.property(fc.dictionary(word, value), fc.constantFrom(" = ", "=", ": "), (config, sign) => {
      const lines = Object.entries(config).map(([name, value]) => `# x\n${name}${sign}${value}\n`);
      const { settings } = parseIni(`[s]\n${lines.join("")}`);
      expect(settings.map(({ name, value }) => [name, value])).toEqual(Object.entries(config));
    }),
  );
  fc.assert(fc.property(fc.string(), (text) => void parseIni(text)));
});
