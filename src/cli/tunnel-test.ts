import type { TrialReport } from "../services/tunnel/actions.ts";
import type { Throughput } from "../services/tunnel/trial.ts";
import { ask, reason } from "./client.ts";
import { EXIT, Exit } from "./exit.ts";
import type { Where } from "./socket-path.ts";
import { print, printJson } from "./terminal.ts";

const EACH_MS = 250;
/** Whatever the peer does: both ways, and what may have to be said again. */
const SLACK_MS = 10_000;
const DEFAULT_SECONDS = 3;

/** `tern tunnel test NAME`: bandwidth both ways, round trip, loss and the longest packet; exit code 1 when the peer did not answer. */
export async function tunnelTest(
  options: Where & { readonly json?: boolean; readonly seconds?: string },
  name: string,
): Promise<number> {
  const seconds = Number(options.seconds ?? DEFAULT_SECONDS);
  if (!(seconds >= 1 && seconds <= 10))
    throw new Exit(EXIT.usage, "--seconds: expected a number from 1 to 10");
  const watched = process.stderr.isTTY && !options.json;
  let report = await asked(options, "test", { tunnel: name, seconds });
  for (let left = (2 * seconds * 1000 + SLACK_MS) / EACH_MS; left > 0 && isOn(report); left--) {
    await Bun.sleep(EACH_MS);
    report = await asked(options, "tested", { tunnel: name });
    if (watched) process.stderr.write(`\r\x1b[K${progress(report)}`);
  }
  if (watched) process.stderr.write("\r\x1b[K");
  if (options.json) printJson(report);
  else print(showTrial(name, report));
  return report.phase === "done" ? EXIT.ok : EXIT.failed;
}

function isOn({ phase }: TrialReport): boolean {
  return phase === "out" || phase === "in";
}

async function asked(
  where: Where,
  action: "test" | "tested",
  input: { readonly tunnel: string; readonly seconds?: number },
): Promise<TrialReport> {
  const path = `/api/v1/services/tunnel/actions/${action}`;
  const answer = await ask(where, "POST", path, input);
  if (!answer.ok) throw new Exit(EXIT.failed, reason(answer));
  const report = (answer.json as Readonly<Record<string, TrialReport>>)[input.tunnel];
  if (report === undefined) throw new Exit(EXIT.failed, `there is no tunnel ${input.tunnel}`);
  return report;
}

function progress({ phase, out, in: back }: TrialReport): string {
  const rate = (one: Throughput | null): string =>
    one === null ? "…" : `${(one.bitsPerSecond / 1e6).toFixed(1)} Mbit/s`;
  return phase === "out" ? `out ${rate(out)}` : `out ${rate(out)}, in ${rate(back)}`;
}

/** For people. */
export function showTrial(name: string, report: TrialReport): string {
  const { phase, peer, idleRttMs, out, in: back, mtu, mtuBy } = report;
  const ms = (value: number | null): string => (value === null ? "?" : `${value} ms`);
  const way = (one: Throughput | null): string =>
    one === null
      ? "not known: the peer did not answer"
      : `${(one.bitsPerSecond / 1e6).toFixed(1)} Mbit/s, ${(one.lost * 100).toFixed(2)} % lost, round trip ${ms(one.rttMs)}`;
  const lines = [
    `${name}  ${peer ?? "?"}${phase === "done" ? "" : `  ${phase}`}`,
    `  path  ${ms(idleRttMs)} while it is quiet`,
    `  out   ${way(out)}`,
    `  in    ${way(back)}`,
    `  mtu   ${mtu}, ${mtuBy === "path" ? "found out" : "as configured: the path may carry more"}`,
  ];
  return lines.join("\n");
}
