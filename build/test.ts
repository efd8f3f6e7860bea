/**
 * Everything that must hold: what Debian has is installed, then the gate, the binaries, and all
 * tests. The last line is `N passed, N failed, N skipped`; what passed only when it was run again
 * is named above it.
 */
import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { again } from "./again.ts";
import { missing } from "./debian.ts";
import { type Case, read } from "./junit.ts";
import { withoutDaemons } from "./no-daemons.ts";
import { run, say, seconds, show } from "./step.ts";

/** Files named at the end for how long they took. */
const SLOWEST = 10;
const TEST_TIMEOUT_MS = 60_000; // two busy cores; a test that waits this long has failed
const began = performance.now();
let cases: Case[] = [];

await install();
await step("gate", ["bun", "build/check.ts"]);
await step("build", ["bun", "build/compile.ts", "--only=linux-arm64", "--only=linux-x64-musl"]);

let runs = 0;
const reports = await mkdtemp(join(tmpdir(), "tern-test-"));
/** A file for each host of a test that is there (test/fake/host.ts). */
const hosts = join(reports, "hosts");
await mkdir(hosts);
try {
  // The first in parallel: each brings its own ports and directories. The second measure time.
  await tests("in parallel", ["--parallel", "--path-ignore-patterns=test/e2e/**", "test/"]);
  await tests("one by one", ["test/e2e/"]);
  await nothingStays();
  cases = await again(cases, (file) => {
    say(`\nagain, by itself: ${file}`);
    return reported([file]);
  });
} finally {
  await rm(reports, { recursive: true });
}

const count = (outcome: Case["outcome"]): number =>
  cases.filter((c) => c.outcome === outcome).length;
for (const c of cases) if (c.outcome === "skipped") say(`skipped: ${c.file}: ${c.name}`);
for (const c of cases) if (c.outcome === "flaky") say(`FLAKY: ${c.file}: ${c.name}`);
for (const c of cases) if (c.outcome === "failed") say(`FAILED: ${c.file}: ${c.name}`);
say(`slowest: ${slowest().join(", ")}`);
const unsteady = count("flaky") > 0 ? `; ${count("flaky")} passed only when run again` : "";
say(`\nin ${seconds(performance.now() - began)}${unsteady}`);
say(
  `${count("passed") + count("flaky")} passed, ${count("failed")} failed, ${count("skipped")} skipped`,
);
process.exit(count("failed") === 0 ? 0 : 1);

/** The files whose tests took longest, with seconds. */
function slowest(): string[] {
  const files = new Map<string, number>();
  for (const { file, seconds } of cases) files.set(file, (files.get(file) ?? 0) + seconds);
  return [...files]
    .toSorted(([, a], [, b]) => b - a)
    .slice(0, SLOWEST)
    .map(([file, took]) => `${file} ${took.toFixed(1)}`);
}

/** Debian's packages, when we may; otherwise say what will be skipped for want of which. */
async function install(): Promise<void> {
  const wanted = missing();
  if (wanted.length === 0) return;
  if (process.getuid?.() === 0 && Bun.which("apt-get") !== null) {
    const names = wanted.map((w) => w.name);
    say(`installing ${names.join(" ")}`);
    await run(["apt-get", "update", "-q"]);
    const apt = ["apt-get", "install", "-q", "-y", "--no-install-recommends"];
    const install = ["env", "DEBIAN_FRONTEND=noninteractive", ...apt, ...names];
    const done = await withoutDaemons(() => run(install));
    if (!done.ok) say(done.output);
  }
  for (const w of missing()) say(`MISSING ${w.name}: tests are skipped that need it for ${w.for}`);
}

/** Something that either works or not, counted as one test. */
async function step(name: string, command: readonly string[]): Promise<void> {
  const ok = await show(command);
  cases.push({ file: "build", name, outcome: ok ? "passed" : "failed", seconds: 0 });
}

async function tests(name: string, args: readonly string[]): Promise<void> {
  say(`\ntests, ${name}`);
  cases.push(...(await reported(args)));
}

/** Unless a test failed, which may be why: every host that a test made is gone again. */
async function nothingStays(): Promise<void> {
  if (cases.some(({ outcome }) => outcome === "failed")) return;
  const left = await readdir(hosts);
  for (const name of left)
    say(`\na host that was not disposed of: ${await Bun.file(join(hosts, name)).text()}`);
  const outcome = left.length === 0 ? "passed" : "failed";
  cases.push({ file: "build", name: "no host of a test stays", outcome, seconds: 0 });
}

/** Tests and how they went. */
async function reported(args: readonly string[]): Promise<Case[]> {
  const report = join(reports, `${runs++}.xml`);
  const reporter = ["--reporter=junit", `--reporter-outfile=${report}`];
  const options = ["--only-failures", `--timeout=${TEST_TIMEOUT_MS}`, ...reporter];
  const ok = await show(["bun", "test", ...options, ...args], { TERN_HOSTS: hosts });
  const found = await read(report);
  // A file that does not load, or a process that dies, has no case of its own in the report.
  if (!ok && !found.some((c) => c.outcome === "failed"))
    found.push({ file: args.join(" "), name: "bun test", outcome: "failed", seconds: 0 });
  return found;
}
