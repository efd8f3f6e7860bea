import { expect, test } from "bun:test";

import { bunServer } from "../../../fake/bun-adapter.ts";
import { Fixture } from "./fixture.ts";

const SUITES = ["basic", "copymove", "props", "locks", "http"];
const installed = Bun.which("litmus") !== null;
if (!installed)
  console.warn("SKIPPED: litmus is not installed (apt-get install litmus): WebDAV is less tested");

/**
 * Warnings that are no fault of this code. The runtime's server cuts a fragment off before any
 * handler sees the request; our own HTTP/1 front answers 400 to it.
 */
const EXCUSED = [/DELETE removed collection resource with Request-URI including fragment/];

test.skipIf(!installed)(
  "litmus finds no failure in any suite",
  async () => {
    await using site = await Fixture.make();
    await using server = bunServer((request) => site.serve(request));
    const litmus = Bun.spawn(["litmus", "-k", `http://127.0.0.1:${server.port}/`], {
      cwd: site.state, // it leaves debug.log where it runs
      env: { ...process.env, TESTS: SUITES.join(" ") },
      stdout: "pipe",
      stderr: "pipe",
    });
    const report = await new Response(litmus.stdout).text();
    await litmus.exited;

    const warnings = report.split("\n").filter((line) => line.includes("WARNING"));
    if (warnings.length > 0) console.warn(`litmus warns:\n${warnings.join("\n")}`);
    const unexcused = warnings.filter((line) => !EXCUSED.some((known) => known.test(line)));
    expect(report.split("\n").filter((line) => line.includes("FAIL"))).toEqual([]);
    expect(unexcused).toEqual([]);
    for (const suite of SUITES) expect(report).toContain(`-> running \`${suite}'`);
    const sums = [
      ...report.matchAll(/<- summary for `(\w+)': of (\d+) tests run: (\d+) passed, (\d+) failed/g),
    ];
    expect(sums.map(([, suite, , , failed]) => `${suite} ${failed} failed`)).toEqual(
      SUITES.map((suite) => `${suite} 0 failed`),
    );
  },
  60_000,
);
