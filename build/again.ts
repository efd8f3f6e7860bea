import type { Case } from "./junit.ts";

/** Files that may have had bad luck; with more there is something else wrong. */
const MOST = 3;

/**
 * Run the files with failed tests once more, each by itself, when there are few. A file of which then
 * nothing fails and nothing is left out was unlucky: what had failed there is "flaky". Nobody should be
 * content with that: a race that shows once in a while is a fault all the same.
 */
export async function again(
  cases: readonly Case[],
  run: (file: string) => Promise<readonly Case[]>,
): Promise<Case[]> {
  const failed = new Set(cases.filter((c) => c.outcome === "failed").map(({ file }) => file));
  if (failed.size === 0 || failed.size > MOST) return [...cases];
  const lucky = new Set<string>();
  for (const file of failed) {
    if (!file.endsWith(".test.ts")) continue; // a step, not a file of tests
    const second = await run(file);
    const before = cases.filter((c) => c.file === file && c.outcome !== "skipped").length;
    const passed = second.filter(({ outcome }) => outcome === "passed").length;
    if (passed >= before && second.every(({ outcome }) => outcome !== "failed")) lucky.add(file);
  }
  return cases.map((c) =>
    c.outcome === "failed" && lucky.has(c.file) ? { ...c, outcome: "flaky" } : c,
  );
}
