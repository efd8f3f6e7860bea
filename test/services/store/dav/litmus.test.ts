import { expect } from "bun:test";

import { needs } from "../../../sys/needs.ts";
import { served } from "./served.ts";

const SUITES = ["basic", "copymove", "props", "locks", "http"];
const withLitmus = needs(Bun.which("litmus") !== null, "litmus (apt-get install litmus)");

/** Each suite's line at its end, and every line that warns or fails. */
function judged(report: string): { sums: string[]; bad: string[] } {
  const lines = report.split(/[\r\n]+/);
  const summary = /summary for `(\w+)': of \d+ tests run: \d+ passed, (\d+) failed/;
  const sums = lines.map((line) => summary.exec(line)).filter((found) => found !== null);
  return {
    sums: sums.map(([, suite, failed]) => `${suite}: ${failed} failed`),
    bad: lines.filter((line) => /WARNING|FAIL|SKIPPED/.test(line)),
  };
}

withLitmus(
  "litmus finds nothing to complain of in any suite, over four members",
  async () => {
    await using site = await served();
    const litmus = Bun.spawn(["litmus", "-k", `http://127.0.0.1:${site.port}/`], {
      cwd: site.scratch, // it leaves debug.log where it runs
      env: { ...process.env, TESTS: SUITES.join(" ") },
      stdout: "pipe",
      stderr: "inherit",
    });
    const report = await new Response(litmus.stdout).text();
    expect(await litmus.exited).toBe(0);
    const { sums, bad } = judged(report);
    expect(bad).toEqual([]);
    expect(sums).toEqual(SUITES.map((suite) => `${suite}: 0 failed`));
  },
  60_000,
);
