import { expect, test } from "bun:test";

import { table } from "../../src/cli/table.ts";

test("words to the left, numbers to the right", () => {
  const rows = [
    ["NAME", "COUNT", "LAG", "ADDRESS"],
    ["web", "1,204", "3ms", "127.0.0.1:80"],
    ["dns", "7", "12ms", ":53"],
  ];
  expect(table(rows)).toEqual([
    "NAME  COUNT   LAG  ADDRESS",
    "web   1,204   3ms  127.0.0.1:80",
    "dns       7  12ms  :53",
  ]);
});

test("a heading alone", () => {
  expect(table([["A", "B"]])).toEqual(["A  B"]);
});
