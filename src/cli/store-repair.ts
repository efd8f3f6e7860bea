import { isatty } from "node:tty";

import { humanBytes } from "../core/human-bytes.ts";
import { parseRate } from "../core/units.ts";
import type { Jobs } from "../services/store/repair/actions.ts";
import type { Job } from "../services/store/repair/job.ts";
import { ask, reason } from "./client.ts";
import { EXIT, Exit } from "./exit.ts";
import type { Where } from "./socket-path.ts";
import { complain, print, printJson } from "./terminal.ts";

const STDERR = 2;
const LOOK_MS = 250;
const BAR = 24;
const BITS = 8;

export type RepairOptions = Where & {
  readonly json?: boolean;
  readonly store?: string;
  readonly stage?: string;
  readonly dryRun?: boolean;
  readonly rate?: string;
  readonly detach?: boolean;
  readonly stop?: boolean;
  readonly undo?: boolean;
};

/**
 * `tern store fsck|replace|drain|rebalance`: begin it, and show how far it is until it ends. Whoever
 * stops looking stops nothing.
 */
export async function storeRepair(
  kind: Job["kind"],
  options: RepairOptions,
  member?: string,
): Promise<number> {
  if (options.stop) {
    const stopped = await act(options, "stop-repair", {});
    show(stopped, options);
    return EXIT.ok;
  }
  const rate = options.rate === undefined ? undefined : parseRate(options.rate);
  if (options.rate !== undefined && rate?.kind !== "bits")
    throw new Exit(EXIT.usage, `--rate: expected a bandwidth such as "200MiB/s"`);
  if (options.stage !== undefined && !/^\d{1,9}$/.test(options.stage))
    throw new Exit(EXIT.usage, "--stage: expected a number");
  let jobs = await act(options, "repair", {
    kind: kind === "drain" && options.undo ? "undrain" : kind,
    ...(member !== undefined && { member }),
    ...(options.stage !== undefined && { stage: Number(options.stage) }),
    ...(options.dryRun && { dryRun: true }),
    ...(rate !== undefined && { rate: rate.perSecond / BITS }),
  });
  const shows = isatty(STDERR) && !options.json;
  while (!options.detach && Object.values(jobs).some(({ state }) => state === "running")) {
    await Bun.sleep(LOOK_MS);
    jobs = await act(options, "repairs", {});
    if (shows) process.stderr.write(`\r${Object.values(jobs).map(bar).join("  ")}\x1b[K`);
  }
  if (shows) process.stderr.write("\r\x1b[K");
  show(jobs, options);
  const all = Object.values(jobs);
  return all.some(({ state, tally }) => state === "failed" || tally.lost > 0)
    ? EXIT.failed
    : EXIT.ok;
}

async function act(options: RepairOptions, action: string, input: object): Promise<Jobs> {
  const { store } = options;
  const path = `/api/v1/services/store/actions/${action}`;
  const answer = await ask(options, "POST", path, {
    ...input,
    ...(store !== undefined && { store }),
  });
  if (answer.status === 404) throw new Exit(EXIT.failed, "this config has no stores");
  if (!answer.ok) throw new Exit(EXIT.failed, reason(answer));
  return answer.json as Jobs;
}

function show(jobs: Jobs, { json }: RepairOptions): void {
  if (json) return printJson(jobs);
  if (Object.keys(jobs).length === 0) return complain("nothing has been repaired so far");
  for (const [name, job] of Object.entries(jobs)) print(showJob(name, job));
}

/** ` 45 %  [==========>             ]  copying  12 034 files`. */
export function bar({ at, of, phase, tally }: Job): string {
  const share = of === 0 ? 1 : at / of;
  const full = Math.floor(share * BAR);
  const drawn = `${"=".repeat(full)}${full < BAR ? ">" : ""}`.padEnd(BAR);
  const percent = String(Math.floor(share * 100)).padStart(3);
  const moved = tally.moved > 0 ? `, ${humanBytes(tally.moved)} copied` : "";
  return `${percent} %  [${drawn}]  ${phase}  ${tally.names} files${moved}`;
}

/** For people. */
export function showJob(store: string, job: Job): string {
  const { kind, member, dryRun, state, tally, why, at, of } = job;
  const what = [kind, member, ...(dryRun ? ["(dry run)"] : [])].filter(Boolean).join(" ");
  const seconds = ((job.ended ?? Date.now()) - job.began) / 1000;
  const how = state === "running" ? `running, ${Math.floor((100 * at) / of)} %` : state;
  const counts: readonly (readonly [number, string])[] = [
    [tally.lacking, "missing or old"],
    [tally.damaged, "damaged"],
    [tally.strays, "where none belongs"],
    [tally.mended, "made whole"],
    [tally.cleared, "removed"],
    [tally.forgotten, "deletions forgotten"],
    [tally.owed, dryRun ? "to be made" : "still owed"],
    [tally.lost, "LOST: no whole copy"],
  ];
  const told = counts.filter(([n]) => n > 0).map(([n, words]) => `${n} ${words}`);
  const read = tally.read > 0 ? `, ${humanBytes(tally.read)} read` : "";
  const moved =
    tally.moved > 0 ? `, ${humanBytes(tally.moved)} ${dryRun ? "to copy" : "copied"}` : "";
  return [
    `${store}: ${what}: ${how} after ${seconds.toFixed(1)} s: ${tally.names} files${read}${moved}`,
    `  copies: ${told.length === 0 ? "all are as they should be" : told.join(", ")}`,
    ...(why === undefined ? [] : [`  ${why}`]),
  ].join("\n");
}
