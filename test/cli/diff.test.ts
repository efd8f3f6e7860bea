import { expect, test } from "bun:test";

import { showDiff, showUnsaved } from "../../src/cli/diff.ts";

test("in the colours that diffs have", () => {
  const paint = (color: string, text: string) => `${color}(${text})`;
  expect(showDiff("--- a\n+++ b\n@@ -1 +1 @@\n x\n-y\n+z\n", paint)).toBe(
    "bold(--- a)\nbold(+++ b)\ndim(@@ -1 +1 @@)\n x\nred(-y)\ngreen(+z)",
  );
});

test("who made the difference, and whether somebody else was there", () => {
  const unsaved = [{ at: 1000, who: "ann", what: "pools state pool=app host=two to=drain" }];
  expect(showUnsaved({ unsaved, changedOnDisk: true, file: "/etc/t.yaml" }, 91_000)).toEqual([
    "not saved: pools state pool=app host=two to=drain (ann, 1m30s ago)",
    "/etc/t.yaml was changed by somebody else since it was read",
  ]);
});
