import type { Status } from "../app/status.ts";
import { age } from "./age.ts";
import { table } from "./table.ts";
import type { Paint } from "./terminal.ts";

/** What stands beside a status: the one a moment ago (for rates), colours, and the time. */
export interface Beside {
  readonly before: Status | undefined;
  readonly paint: Paint;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** A status for people. */
export function showStatus(status: Status, beside: Beside): string {
  const { paint, now } = beside;
  const state = paint(status.state === "serving" ? "green" : "yellow", status.state);
  const up = age(now - status.startedAt);
  return [
    `${paint("bold", `tern ${status.version}`)}  ${state} for ${up}, process ${status.pid}, ${status.user}`,
    `config ${status.config}, generation ${status.generation}${unsaved(status, paint)}`,
    `admin  ${status.admin.join("  ")}`,
    ...reloadLine(status, beside),
    ...status.certificates.map((c) => certificateLine(c, now)),
    ...clusterLine(status, beside),
    "",
    ...heading(listeners(status, beside), paint),
    "",
    ...heading(workers(status), paint),
  ].join("\n");
}

function unsaved({ unsaved }: Status, paint: Paint): string {
  if (unsaved === 0) return "";
  const changes = unsaved === 1 ? "1 change" : `${unsaved} changes`;
  return `, ${paint("yellow", `${changes} not saved`)} (tern diff, tern save)`;
}

function reloadLine({ lastReload }: Status, { paint, now }: Beside): string[] {
  if (!lastReload) return [];
  const { ok, at, changed, notes, problems } = lastReload;
  const what = ok ? changed.join(", ") || "nothing changed" : paint("red", "refused");
  const line = `reload ${age(now - at)} ago: ${what}`;
  return [line, ...notes.map((n) => `       ${n}`), ...problems.map((p) => `       ${p}`)];
}

function clusterLine({ cluster }: Status, { paint }: Beside): string[] {
  if (cluster === undefined) return [];
  const { node, nodes, alone, overruled } = cluster;
  const who =
    alone === undefined
      ? `votes with ${nodes.join(", ") || "nobody yet"}`
      : paint("red", `goes by its own view: ${alone}`);
  const also = overruled === 0 ? "" : `, ${overruled} overruled`;
  return [`node   ${node} ${who}${also}`];
}

function certificateLine(
  { names, from, expires }: Status["certificates"][number],
  now: number,
): string {
  const left =
    expires === undefined
      ? "not issued yet"
      : expires < now
        ? "has expired"
        : `expires in ${age(expires - now)}`;
  return `tls    ${names.join(", ")} (${from}) ${left}`;
}

function listeners(status: Status, { before }: Beside): string[][] {
  return [
    ["LISTENER", "SITES", "CONNECTIONS", "REQUESTS", ...(before ? ["PER SECOND"] : [])],
    ...status.listeners.map((l) => {
      const then = before?.listeners.find((b) => b.address === l.address)?.requests ?? l.requests;
      const grown =
        l.requests === undefined || then === undefined ? "-" : Math.max(0, l.requests - then);
      const rate = before ? [String(grown)] : [];
      const shown = l.port === 0 ? l.address : l.address.replace(/:0$/, `:${l.port}`);
      return [shown, l.sites.join(" "), count(l.connections), count(l.requests), ...rate];
    }),
  ];
}

function workers({ workers }: Status): string[][] {
  return [
    [
      "WORKER",
      "PID",
      "STATE",
      "UP",
      "RESTARTS",
      "MEMORY",
      "LAG",
      "CONNECTIONS",
      "REQUESTS",
      "SERVES",
      "LAST DEATH",
    ],
    ...workers.map((w) => [
      String(w.index),
      String(w.pid ?? "-"),
      w.state,
      age(w.uptimeMs),
      count(w.restarts),
      `${(w.rssBytes / 1e6).toFixed(1)}MB`,
      `${w.lagMs}ms`,
      count(w.connections),
      count(w.requests),
      [...w.services, ...w.listeners].join(" "),
      w.lastDeath ?? "",
    ]),
  ];
}

function heading(rows: string[][], paint: Paint): string[] {
  return table(rows).map((line, i) => (i === 0 ? paint("dim", line) : line));
}

function count(n: number | undefined): string {
  return n === undefined ? "-" : n.toLocaleString("en-US");
}
