import type { Rr } from "../../../wire/dns/rr.ts";
import { isNewer } from "../secondary/soa.ts";
import type { Zone } from "../zone/zone.ts";
import { condense } from "./condense.ts";
import type { Journal } from "./journal.ts";
import { unpack } from "./packed-records.ts";
import { soaOf, transferSize } from "./zone-records.ts";

/** What an IXFR from a serial is answered with. */
export type Incremental =
  /** The client has what we have, or newer: only our SOA. */
  | { readonly kind: "current"; readonly records: readonly Rr[] }
  /** What has changed since; `bytes` is about their size. */
  | { readonly kind: "changes"; readonly records: Iterable<Rr>; readonly bytes: number }
  /** All of the zone, as in an AXFR: the difference is not known, or is no less. */
  | { readonly kind: "whole" };

/** What is told to a client that has the version `serial` of a zone (RFC 1995, 4). */
export function incremental(zone: Zone, journal: Journal | undefined, serial: number): Incremental {
  if (!isNewer(zone.serial, serial)) return { kind: "current", records: [soaOf(zone)] };
  const change = condense(journal?.between(serial, zone.serial) ?? []);
  if (change === undefined) return { kind: "whole" };
  const { removed, added } = change;
  const bytes = removed.length + added.length;
  if (bytes >= transferSize(zone)) return { kind: "whole" };
  return { kind: "changes", records: told(soaOf(zone), removed, added), bytes };
}

function* told(soa: Rr, removed: Uint8Array, added: Uint8Array): Generator<Rr> {
  yield soa;
  yield* unpack(removed);
  yield* unpack(added);
  yield soa;
}
