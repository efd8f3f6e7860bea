import type { Rr } from "../../../wire/dns/rr.ts";
import { CLASS, TYPE } from "../../../wire/dns/types.ts";
import { APEX } from "../zone/name-tree.ts";
import type { RecordStore } from "../zone/record-store.ts";
import type { Zone } from "../zone/zone.ts";

/** What a record takes in a message besides its rdata, more or less: names are compressed there. */
const RECORD_BYTES = 12;

/** The SOA of a zone as a record. */
export function soaOf({ store, soa, origin }: Zone): Rr {
  const rdata = store.firstRdata(soa);
  return { name: origin, type: TYPE.SOA, class: CLASS.IN, ttl: store.ttl(soa), rdata };
}

/** All records of a zone, its SOA first and last (RFC 5936, 2.2). */
export function* recordsOf(zone: Zone): Generator<Rr> {
  const { store, hashed, soa } = zone;
  yield soaOf(zone);
  yield* storeOf(store, soa);
  yield* storeOf(hashed, -1);
  yield soaOf(zone);
}

/** About how many bytes a transfer of the zone takes. */
export function transferSize({ store, hashed }: Zone): number {
  let bytes = 0;
  for (const one of [store, hashed]) bytes += one.rdata.length + one.sets * RECORD_BYTES;
  return bytes;
}

/** The records of `node`; of the set `soa` only the signatures. */
export function* recordsAt(store: RecordStore, node: number, soa: number): Generator<Rr> {
  if (store.isEmpty(node)) return;
  const name = store.names.name(node);
  for (let set = store.firstSet(node); set < store.firstSet(node + 1); set++)
    yield* recordsIn(store, set, name, set === soa);
}

/** The records of a set and their signatures; or only these. */
export function* recordsIn(
  store: RecordStore,
  set: number,
  name: Uint8Array,
  signaturesOnly: boolean,
): Generator<Rr> {
  const ttl = store.ttl(set);
  const count = store.count(set);
  let at = store.records(set);
  for (let i = 0; i < count + store.signatures(set); i++) {
    const rdata = store.rdata.subarray(store.rdataAt(at), store.next(at));
    at = store.next(at);
    if (signaturesOnly && i < count) continue;
    const type = i < count ? store.type(set) : TYPE.RRSIG;
    yield { name, type, class: CLASS.IN, ttl, rdata };
  }
}

function* storeOf(store: RecordStore, soa: number): Generator<Rr> {
  for (let node = APEX; node < store.names.size; node++) yield* recordsAt(store, node, soa);
}
