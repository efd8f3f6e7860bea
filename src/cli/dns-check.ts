import { basename } from "node:path";

import { recordCount, showZoneProblem, ZoneFile } from "../services/dns/zone-file.ts";
import { parseName, showName } from "../wire/dns/name.ts";
import { EXIT, Exit } from "./exit.ts";
import { complain, print, printJson } from "./terminal.ts";

/** `tern dns check ZONEFILE`: everything that is wrong with a zone, with its place. */
export default async function dnsCheck(
  { origin, json }: { origin?: string; json?: boolean },
  file: string,
): Promise<number> {
  const name = origin ?? basename(file).replace(/\.(zone|db|txt)$/, "");
  if (parseName(name.replace(/\.?$/, ".")) === undefined)
    throw new Exit(EXIT.usage, `${name} is no domain name: say which with --origin`);
  const version = await new ZoneFile({ name, path: file, wall: Date.now }).latest();
  const { zone, problems, warnings, tookMs } = version;
  const good = zone !== undefined;
  const about = zone && {
    name: showName(zone.origin),
    serial: zone.serial,
    names: zone.store.names.size,
    records: recordCount(zone),
    signed: zone.denial !== undefined,
    bytes: zone.bytes,
    ms: tookMs,
  };
  if (json) {
    printJson({ ok: good, ...about, problems, warnings });
    return good ? EXIT.ok : EXIT.failed;
  }
  for (const problem of problems) complain(showZoneProblem(problem));
  for (const warning of warnings) complain(`warning: ${showZoneProblem(warning)}`);
  if (about === undefined) return EXIT.failed;
  const { serial, names, records, signed } = about;
  print(
    `${about.name} good: serial ${serial}, ${records} records, ${names} names, ${signed ? "signed" : "not signed"}`,
  );
  return EXIT.ok;
}
