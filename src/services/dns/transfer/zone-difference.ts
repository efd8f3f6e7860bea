import type { Rr } from "../../../wire/dns/rr.ts";
import { APEX, NONE } from "../zone/name-tree.ts";
import type { RecordStore } from "../zone/record-store.ts";
import type { Zone } from "../zone/zone.ts";
import { RecordPacker } from "./packed-records.ts";
import { recordsAt, recordsIn, soaOf } from "./zone-records.ts";

/** Nodes looked at before others of the thread get their turn: a millisecond or two. */
const TURN = 4096;

/** What has changed from one version of a zone to another (RFC 1995, 4): both sides begin with the SOA. */
export interface Difference {
  readonly from: number;
  readonly to: number;
  /** Packed records. */
  readonly removed: Uint8Array;
  readonly added: Uint8Array;
}

/** Compare two versions of a zone. Undefined: they differ in more than `mostBytes`. In turns. */
export function* zoneDifference(
  before: Zone,
  after: Zone,
  mostBytes: number,
): Generator<void, Difference | undefined, void> {
  const removed = new RecordPacker();
  const added = new RecordPacker();
  removed.add(soaOf(before));
  added.add(soaOf(after));
  const pairs = [
    [before.store, after.store, before.soa, after.soa],
    [before.hashed, after.hashed, NONE, NONE],
  ] as const;
  for (const [old, next, oldSoa, nextSoa] of pairs) {
    const sides = { old, next, oldSoa, nextSoa };
    for (const _ of compareStores(sides, removed, added)) {
      if (removed.length + added.length > mostBytes) return undefined;
      yield;
    }
  }
  if (removed.length + added.length > mostBytes) return undefined;
  return {
    from: before.serial,
    to: after.serial,
    removed: removed.finish(),
    added: added.finish(),
  };
}

interface Sides {
  readonly old: RecordStore;
  readonly next: RecordStore;
  /** Their SOAs, which are told apart from the rest. */
  readonly oldSoa: number;
  readonly nextSoa: number;
}

function* compareStores(
  sides: Sides,
  removed: RecordPacker,
  added: RecordPacker,
): Generator<void, void, void> {
  const { old, next, oldSoa, nextSoa } = sides;
  /** For each old node the new one of the same name. */
  const twins = new Int32Array(old.names.size).fill(NONE);
  const known = new Uint8Array(next.names.size);
  for (let node = APEX; node < old.names.size; node++) {
    if (node % TURN === TURN - 1) yield;
    const above = twins[old.names.parent(node)] as number;
    let twin = APEX;
    if (node !== APEX) twin = above === NONE ? NONE : next.names.childLike(above, old.names, node);
    twins[node] = twin;
    if (twin === NONE) {
      for (const record of recordsAt(old, node, oldSoa)) removed.add(record);
    } else {
      known[twin] = 1;
      compareNodes(sides, node, twin, removed, added);
    }
  }
  for (let node = APEX; node < next.names.size; node++) {
    if (node % TURN === TURN - 1) yield;
    if (known[node] === 0) for (const record of recordsAt(next, node, nextSoa)) added.add(record);
  }
}

function compareNodes(
  { old, next, oldSoa, nextSoa }: Sides,
  node: number,
  twin: number,
  removed: RecordPacker,
  added: RecordPacker,
): void {
  const end = old.firstSet(node + 1);
  for (let set = old.firstSet(node); set < end; set++) {
    const other = next.find(twin, old.type(set));
    if (other !== NONE && sameSets(old, set, next, other)) continue;
    const name = old.names.name(node);
    const gone = [...recordsIn(old, set, name, set === oldSoa)];
    const come = other === NONE ? [] : [...recordsIn(next, other, name, other === nextSoa)];
    subtract(gone, come, removed);
    subtract(come, gone, added);
  }
  const last = next.firstSet(twin + 1);
  for (let set = next.firstSet(twin); set < last; set++)
    if (old.find(node, next.type(set)) === NONE)
      for (const record of recordsIn(next, set, next.names.name(twin), set === nextSoa))
        added.add(record);
}

/** Nothing at all is different, not even the order. */
function sameSets(old: RecordStore, set: number, next: RecordStore, other: number): boolean {
  if (old.ttl(set) !== next.ttl(other) || old.count(set) !== next.count(other)) return false;
  if (old.signatures(set) !== next.signatures(other)) return false;
  const [a, b] = [old.records(set), next.records(other)];
  const length = old.endOfRecords(set) - a;
  if (next.endOfRecords(other) - b !== length) return false;
  for (let i = 0; i < length; i++) if (old.rdata[a + i] !== next.rdata[b + i]) return false;
  return true;
}

/** Those of `records` that are not among `others`: of one name, and of one type or its signatures. */
function subtract(records: readonly Rr[], others: readonly Rr[], into: RecordPacker): void {
  const same = new Set(others.map(wordOf));
  for (const record of records) if (!same.has(wordOf(record))) into.add(record);
}

function wordOf({ type, ttl, rdata }: Rr): string {
  return `${type} ${ttl} ${Buffer.from(rdata).toString("latin1")}`;
}
