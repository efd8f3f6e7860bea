import { showDuration } from "../core/units.ts";
import type { NameStatus } from "../services/dns/names/name-status.ts";
import type { ServerStatus } from "../services/dns/server-status.ts";
import { ask, reason } from "./client.ts";
import { EXIT, Exit } from "./exit.ts";
import type { Where } from "./socket-path.ts";
import { table } from "./table.ts";
import { type Paint, painter, print, printJson } from "./terminal.ts";

/** `tern dns status`: zones, names, and who is up since when and why. */
export default async function dnsStatus(options: Where & { json?: boolean }): Promise<number> {
  const answer = await ask(options, "POST", "/api/v1/services/dns/actions/status", {});
  if (!answer.ok) throw new Exit(EXIT.failed, reason(answer));
  const servers = answer.json as Record<string, ServerStatus>;
  if (options.json) printJson(servers);
  else print(showServers(servers, painter(), Date.now()));
  return EXIT.ok;
}

/** For people. `now` is milliseconds since 1970. */
export function showServers(
  servers: Readonly<Record<string, ServerStatus>>,
  paint: Paint,
  now: number,
): string {
  const age = (then: number): string =>
    showDuration(Math.max(0, Math.round((now - then) / 1000) * 1000));
  const blocks = Object.entries(servers).map(([name, { listen, zones, names }]) => {
    const lines = [`${paint("bold", name)}  ${listen.join(" ")}`];
    if (zones.length > 0) {
      const rows = zones.map((z) => [
        z.name,
        String(z.serial),
        String(z.records),
        z.signed ? "signed" : "-",
        z.loadedAt === null ? "-" : age(z.loadedAt),
        z.state,
      ]);
      const heading = ["ZONE", "SERIAL", "RECORDS", "DNSSEC", "LOADED", "STATE"];
      lines.push("", ...headed([heading, ...rows], paint));
      for (const { name, ds } of zones)
        if (ds !== null) lines.push(`for the parent: ${name}. DS ${ds}`);
      for (const { problems } of zones) lines.push(...problems.map((p) => paint("red", p)));
    }
    if (names.length > 0) {
      const heading = ["NAME", "TIER", "TTL", "RECORD", "HEALTH", "SINCE", "GIVEN", "WHY"];
      lines.push("", ...headed([heading, ...names.flatMap((n) => rowsOf(n, age))], paint));
    }
    return lines.join("\n");
  });
  return blocks.join("\n\n");
}

function rowsOf({ name, tier, outcome, ttl, members }: NameStatus, age: (then: number) => string) {
  return members.map((one, i) => [
    i === 0 ? name : "",
    i === 0 ? (tier === 0 ? `none: ${outcome}` : String(tier)) : "",
    i === 0 && ttl !== null ? String(ttl) : "",
    one.record,
    one.manual === null ? one.health : `${one.health}, set ${one.manual}`,
    one.since === null ? "" : age(one.since),
    one.given ? "yes" : "no",
    one.why,
  ]);
}

function headed(rows: string[][], paint: Paint): string[] {
  return table(rows).map((line, i) => (i === 0 ? paint("dim", line) : line));
}
