import { describe, expect, test } from "bun:test";
import { join } from "node:path";

import fc from "fast-check";

import { unifiedDiff } from "../../src/core/text-diff.ts";
import { temporary } from "../fake/temporary.ts";

const NAMES = ["file", "running"] as const;

describe("as diff prints it", () => {
  test.each([
    { story: "nothing", before: "a\n", after: "a\n", says: "" },
    {
      story: "one line",
      before: "1\n2\n3\n4\n5\n6\n7\n8\n9\n",
      after: "1\n2\n3\n4\nfive\n6\n7\n8\n9\n",
      says: "--- file\n+++ running\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n",
    },
    {
      story: "from nothing",
      before: "",
      after: "a\n",
      says: "--- file\n+++ running\n@@ -0,0 +1 @@\n+a\n",
    },
    {
      story: "a last line without end",
      before: "a",
      after: "a\n",
      says: "--- file\n+++ running\n@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n",
    },
  ])("$story", ({ before, after, says }) => {
    expect(unifiedDiff(before, after, NAMES)).toBe(says);
  });

  test("what is hidden is compared all the same", () => {
    const hide = (line: string) => line.replace(/[0-9]+/, "***");
    expect(unifiedDiff("p: 1\n", "p: 2\n", NAMES, hide)).toBe(
      "--- file\n+++ running\n@@ -1 +1 @@\n-p: ***\n+p: ***\n",
    );
  });
});

const text = fc
  .array(fc.constantFrom("a", "b", "c", "d", ""), { maxLength: 40 })
  .map((lines) => lines.map((line) => `${line}\n`).join(""));

test("patch(1) makes the one text out of the other, and no diff is shorter than diff(1)'s", async () => {
  await using dir = await temporary();
  const [from, to, diff] = ["from", "to", "diff"].map((name) => join(dir.path, name)) as [
    string,
    string,
    string,
  ];
  await fc.assert(
    fc.asyncProperty(text, text, async (before, after) => {
      const ours = unifiedDiff(before, after, NAMES);
      await Promise.all([Bun.write(from, before), Bun.write(to, after), Bun.write(diff, ours)]);
      const theirs = Bun.spawnSync(["diff", "--minimal", "-u", from, to]).stdout.toString();
      const changes = (said: string) => said.match(/^[-+](?![-+]{2} )/gm)?.length ?? 0;
      expect(changes(ours)).toBe(changes(theirs));
      if (ours === "") return;
      Bun.spawnSync(["patch", "-s", from, diff]);
      expect(await Bun.file(from).text()).toBe(after);
    }),
    { numRuns: 60 },
  );
});

test("texts with nothing in common cost no time", () => {
  const many = (word: string) => Array.from({ length: 20_000 }, (_, i) => `${word}${i}\n`).join("");
  const began = performance.now();
  const diff = unifiedDiff(many("a"), many("b"), NAMES);
  expect(diff.split("\n")).toHaveLength(40_004);
  expect(performance.now() - began).toBeLessThan(2000);
});
