import { expect, test } from "bun:test";

import { again } from "../../build/again.ts";
import type { Case } from "../../build/junit.ts";

const one = (file: string, name: string, outcome: Case["outcome"]): Case => ({
  file,
  name,
  outcome,
  seconds: 0,
});
const A = "test/a.test.ts";
const B = "test/b.test.ts";
const mixed = [one(A, "1", "passed"), one(A, "2", "failed"), one(B, "1", "failed")];

test.each([
  {
    story: "nothing failed: nothing runs",
    cases: [one(A, "1", "passed"), one(A, "2", "skipped")],
    second: {},
    ran: [],
    outcomes: ["passed", "skipped"],
  },
  {
    story: "one passes now, the other does not",
    cases: mixed,
    second: { [A]: ["passed", "passed"], [B]: ["failed"] },
    ran: [A, B],
    outcomes: ["passed", "flaky", "failed"],
  },
  {
    story: "another test of the file fails now",
    cases: mixed,
    second: { [A]: ["failed", "passed"], [B]: ["passed"] },
    ran: [A, B],
    outcomes: ["passed", "failed", "flaky"],
  },
  {
    story: "it is skipped now, or does not even load",
    cases: mixed,
    second: { [A]: ["passed", "skipped"], [B]: [] },
    ran: [A, B],
    outcomes: ["passed", "failed", "failed"],
  },
  {
    story: "a step is not run again",
    cases: [one("build", "gate", "failed")],
    second: {},
    ran: [],
    outcomes: ["failed"],
  },
  {
    story: "too much has failed",
    cases: [A, B, "test/c.test.ts", "test/d.test.ts"].map((file) => one(file, "1", "failed")),
    second: {},
    ran: [],
    outcomes: ["failed", "failed", "failed", "failed"],
  },
] as const)("$story", async ({ cases, second, ran, outcomes }) => {
  const files: string[] = [];
  const after = await again(cases, async (file) => {
    files.push(file);
    const found: readonly Case["outcome"][] =
      (second as Record<string, Case["outcome"][]>)[file] ?? [];
    return found.map((outcome, i) => one(file, `${i + 1}`, outcome));
  });
  expect(files).toEqual([...ran]);
  expect(after.map(({ outcome }) => outcome)).toEqual([...outcomes]);
});
