import { humanBytes } from "../core/human-bytes.ts";
import type { PoolStats, ServerStats } from "../net/pools/pool-stats.ts";
import { age } from "./age.ts";
import { ask, reason } from "./client.ts";
import { EXIT, Exit } from "./exit.ts";
import type { Where } from "./socket-path.ts";
import { table } from "./table.ts";
import { type Paint, painter, print, printJson } from "./terminal.ts";

const AGAIN_MS = 1000;
/** Cursor home, and clear what is below. */
const HOME = "\x1b[H\x1b[J";

/** What `pools` says, by name. */
export type AllPools = Readonly<Record<string, PoolStats>>;

/** `tern pools`: every pool and its servers: who is up, and what they have in hand. */
export default async function pools(
  options: Where & { json?: boolean; watch?: boolean },
): Promise<number> {
  const paint = painter();
  let before: AllPools | undefined;
  for (;;) {
    const answer = await ask(options, "GET", "/api/v1/services/pools/stats");
    if (answer.status === 404) throw new Exit(EXIT.failed, "this config has no pools");
    if (!answer.ok) throw new Exit(EXIT.failed, reason(answer));
    const stats = answer.json as AllPools;
    if (options.json) printJson(stats);
    else {
      const shown = showPools(stats, { before, paint, now: Date.now() });
      print(options.watch && process.stdout.isTTY ? HOME + shown : shown);
    }
    if (!options.watch) return EXIT.ok;
    before = stats;
    await Bun.sleep(AGAIN_MS);
  }
}

/** For people. `before` is a second older, for rates; `now` is milliseconds since 1970. */
export function showPools(
  stats: AllPools,
  beside: { readonly before: AllPools | undefined; readonly paint: Paint; readonly now: number },
): string {
  const { before, paint, now } = beside;
  const heading = [
    "POOL",
    "HOST",
    "ADDRESS",
    "STATE",
    "FOR",
    "WEIGHT",
    "OPEN",
    ...(before ? ["PER SECOND"] : []),
    "TOTAL",
    "FAILED",
    "CONNECT",
    "SENT",
    "RECEIVED",
    "WHY",
  ];
  const rows = Object.entries(stats).flatMap(([pool, { scheduler, hosts }]) =>
    Object.entries(hosts).map(([name, host], i) => {
      const then = before?.[pool]?.hosts[name]?.total ?? host.total;
      return [
        i === 0 ? `${pool} (${scheduler})` : "",
        name === host.address ? "" : name,
        host.address,
        stateOf(host),
        since(host.since, now),
        host.backup === "yes" ? `${host.weight} backup` : host.weight,
        String(host.open),
        ...(before ? [String(Math.max(0, host.total - then))] : []),
        String(host.total),
        String(host.failed),
        host.connects === 0 ? "-" : `${(host.connect_ms / host.connects).toFixed(1)}ms`,
        humanBytes(host.up_bytes),
        humanBytes(host.down_bytes),
        host.why,
      ];
    }),
  );
  if (rows.length === 0) return "no pool has a server";
  const [head = "", ...lines] = table([heading, ...rows]);
  const bad = rows.map((row) => !/^up\b/.test(row[3] ?? ""));
  return [paint("dim", head), ...lines.map((l, i) => (bad[i] ? paint("yellow", l) : l))].join("\n");
}

/** What the probes say, and what the operator has. */
function stateOf({ state, set }: ServerStats): string {
  return set === "ready" ? state : `${state}, set ${set}`;
}

/** Nobody knows since when a name without addresses has none: that is told as 1970. */
function since(time: string, now: number): string {
  const then = Date.parse(time);
  return then > 0 ? age(Math.max(0, now - then)) : "-";
}
