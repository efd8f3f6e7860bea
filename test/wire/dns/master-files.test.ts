import { expect } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { lower, parseName, ROOT, showName } from "../../../src/wire/dns/name.ts";
import { showRdata } from "../../../src/wire/dns/rdata/show.ts";
import { showType } from "../../../src/wire/dns/types.ts";
import { temporary } from "../../fake/temporary.ts";
import { needs } from "../../sys/needs.ts";
import { parseZone, type ZoneRecord } from "./parse-zone.ts";

const ORIGIN = "golden.example";
const origin = parseName(ORIGIN) ?? ROOT;
const withBind = needs(Bun.which("named-compilezone") !== null, "named-compilezone (bind9-utils)");

const here = (file: string) => join(import.meta.dir, "golden", file);

/** What BIND makes of a master file: one record a line, everything written out. */
async function compiled(text: string): Promise<string> {
  await using dir = await temporary();
  await Bun.write(join(dir.path, "zone"), text);
  await Bun.write(join(dir.path, "other.zone"), Bun.file(here("other.zone")));
  const command = `named-compilezone -i none -k ignore -s full -o out ${ORIGIN} zone`.split(" ");
  const bind = Bun.spawnSync(command, { cwd: dir.path });
  if (bind.exitCode !== 0) throw new Error(bind.stdout.toString());
  return await Bun.file(join(dir.path, "out")).text(); // while there is a directory
}

function read(text: string): ZoneRecord[] {
  const include = (file: string) => readFileSync(here(file));
  const zone = parseZone(text, { file: "zone", origin, include });
  if (!zone.ok) throw new Error(JSON.stringify(zone.problems));
  return zone.records;
}

/** A set, as a zone is one; names in one case, as BIND writes the first it saw. */
function lines(records: readonly ZoneRecord[]): string[] {
  return [
    ...new Set(
      records.map((rr) => `${showName(lower(rr.name))} ${rr.ttl} ${rr.type} ${rr.rdata.toHex()}`),
    ),
  ].sort();
}

withBind("BIND reads every spelling as we do", async () => {
  const text = await Bun.file(here("spellings.zone")).text();
  expect(lines(read(await compiled(text)))).toEqual(lines(read(text)));
});

withBind("BIND reads every type as we do, and what we write", async () => {
  const ours = read(await Bun.file(here("golden.zone")).text());
  const written = ours.map(
    (rr) =>
      `${showName(rr.name)} ${rr.ttl} IN ${showType(rr.type)} ${showRdata(rr.type, rr.rdata)}\n`,
  );
  expect(lines(read(await compiled(written.join(""))))).toEqual(lines(ours));
});
