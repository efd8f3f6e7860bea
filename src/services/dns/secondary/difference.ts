import { hashName, nameKey } from "../../../wire/dns/name.ts";
import { canonicalRdata } from "../../../wire/dns/rdata/canonical.ts";
import type { Rr } from "../../../wire/dns/rr.ts";
import { RecordPacker, unpack } from "../transfer/packed-records.ts";
import type { Step } from "./transfer-reader.ts";

/**
 * The records of a zone after `steps` (RFC 1995, 4); undefined when they do not fit: one takes away
 * what is not there, or adds what is. Only the names that change are looked at closely.
 */
export function applyDifference(
  packed: Uint8Array,
  steps: readonly Step[],
): Uint8Array | undefined {
  const touched = new Set<number>();
  for (const { removed, added } of steps)
    for (const { name } of [...removed, ...added]) touched.add(hashName(name));

  const changing = new Map<string, Rr>();
  const rest = new RecordPacker();
  for (const record of unpack(packed))
    if (touched.has(hashName(record.name))) changing.set(keyOf(record), record);
    else rest.add(record);

  for (const { removed, added } of steps) {
    for (const record of removed) if (!changing.delete(keyOf(record))) return undefined;
    for (const record of added) {
      const key = keyOf(record);
      if (changing.has(key)) return undefined;
      changing.set(key, record);
    }
  }
  // The SOA was taken away and added by the last step: put it first again.
  const soa = steps.at(-1)?.added[0];
  if (soa === undefined) return undefined;
  const whole = new RecordPacker();
  whole.add(soa);
  changing.delete(keyOf(soa));
  for (const record of changing.values()) whole.add(record);
  whole.append(rest.finish());
  return whole.finish();
}

/** What makes a record the same: owner, type and rdata, whatever the case of names (RFC 2136, 1.1). */
function keyOf({ name, type, rdata }: Rr): string {
  const bytes = Buffer.from(canonicalRdata(type, rdata)).toString("latin1");
  return `${nameKey(name)} ${type} ${bytes}`;
}
