import { showDuration } from "../core/units.ts";
import type { NameStatus } from "../services/dns/names/name-status.ts";
import type { ServerStatus, ZoneStatus } from "../services/dns/server-status.ts";
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
      lines.push(...zones.flatMap((zone) => keyLines(zone, now)));
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

/** What the parent should have, and how far a key is that takes the place of another. */
function keyLines({ name, keys }: ZoneStatus, now: number): string[] {
  return keys.flatMap(({ tag, ds, role, signs, doneFrom }) => {
    const parent = `for the parent: ${name}. DS ${ds}`;
    if (role === "current" || doneFrom === null) return [parent];
    const does = signs ? "signs records" : "is published, and will sign records";
    const left = Math.ceil((doneFrom - now) / 60_000) * 60_000;
    const when = left > 0 ? `in ${showDuration(left)}` : "now";
    return [parent, `key ${tag} ${does}; with its DS at the parent, the old key may go ${when}`];
  });
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
