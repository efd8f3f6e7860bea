import type { Rr } from "../../../wire/dns/rr.ts";
import { RecordPacker, unpack } from "./packed-records.ts";
import type { Difference } from "./zone-difference.ts";

/**
 * One difference that does what several do, one after the other (RFC 1995, 5): what one of them
 * adds and a later one takes away is in it not at all. Undefined when there is none.
 */
export function condense(steps: readonly Difference[]): Difference | undefined {
  const [first] = steps;
  const last = steps.at(-1);
  if (first === undefined || last === undefined || first === last) return first;
  const removed = new Map<string, Rr>();
  const added = new Map<string, Rr>();
  for (const step of steps) {
    for (const record of bodyOf(step.removed)) move(record, added, removed);
    for (const record of bodyOf(step.added)) move(record, removed, added);
  }
  return {
    from: first.from,
    to: last.to,
    removed: packed(headOf(first.removed), removed),
    added: packed(headOf(last.added), added),
  };
}

/** It is undone if it is among `undone`, else it is among `done`. */
function move(record: Rr, undone: Map<string, Rr>, done: Map<string, Rr>): void {
  const word = wordOf(record);
  if (!undone.delete(word)) done.set(word, record);
}

function packed(soa: Rr | undefined, records: ReadonlyMap<string, Rr>): Uint8Array {
  const packer = new RecordPacker();
  if (soa !== undefined) packer.add(soa);
  for (const record of records.values()) packer.add(record);
  return packer.finish();
}

function headOf(records: Uint8Array): Rr | undefined {
  for (const soa of unpack(records)) return soa;
  return undefined;
}

/** All but the SOA in front. */
function* bodyOf(records: Uint8Array): Generator<Rr> {
  let first = true;
  for (const record of unpack(records)) {
    if (!first) yield record;
    first = false;
  }
}

function wordOf({ name, type, ttl, rdata }: Rr): string {
  return [name, rdata]
    .map((bytes) => Buffer.from(bytes).toString("latin1"))
    .join(` ${type} ${ttl} `);
}
