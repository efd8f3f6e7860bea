/** litmus, the test suite of WebDAV servers (webdav.org/neon/litmus), against a server of ours. */
import { expect } from "bun:test";

import { needs } from "../sys/needs.ts";

const SUITES = ["basic", "copymove", "props", "locks", "http"];
export const withLitmus = needs(Bun.which("litmus") !== null, "litmus (apt-get install litmus)");
export const LITMUS_MS = 60_000;

export interface LitmusSite {
  readonly port: number;
  /** It leaves debug.log where it runs. */
  readonly scratch: string;
}

/** All suites pass, without a warning. */
export async function nothingToComplain({ port, scratch }: LitmusSite): Promise<void> {
  const litmus = Bun.spawn(["litmus", "-k", `http://127.0.0.1:${port}/`], {
    cwd: scratch,
    env: { ...process.env, TESTS: SUITES.join(" ") },
    stdout: "pipe",
    stderr: "inherit",
  });
  const report = await new Response(litmus.stdout).text();
  expect(await litmus.exited).toBe(0);
  const { sums, bad } = judged(report);
  expect(bad).toEqual([]);
  expect(sums).toEqual(SUITES.map((suite) => `${suite}: 0 failed`));
}

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
