import type { Rr } from "../../../src/wire/dns/rr.ts";
import { scanZone, type ZoneProblem, type ZoneSource } from "../../../src/wire/dns/zone-scan.ts";

/** A record and where it was written. Records with one owner in a row share its bytes. */
export interface ZoneRecord extends Rr {
  readonly file: string;
  readonly line: number;
}

/** All the records of a master file, in its order, or all that is wrong with it. */
export function parseZone(
  text: Uint8Array | string,
  source: ZoneSource,
): { ok: true; records: ZoneRecord[] } | { ok: false; problems: ZoneProblem[] } {
  const records: ZoneRecord[] = [];
  let owner: Uint8Array = new Uint8Array();
  const problems = scanZone(text, source, (record) => {
    const name = record.name.subarray(0, record.nameLength);
    if (!same(owner, name)) owner = name.slice();
    const { type, class: klass, ttl, file, line } = record;
    const rdata = record.rdata.slice(0, record.rdataLength);
    records.push({ name: owner, type, class: klass, ttl, rdata, file, line });
  });
  return problems.length > 0 ? { ok: false, problems } : { ok: true, records };
}

/** The same bytes, case included. */
function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
