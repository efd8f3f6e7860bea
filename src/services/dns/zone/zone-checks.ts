import { showName } from "../../../wire/dns/name.ts";
import { TYPE } from "../../../wire/dns/types.ts";
import { NamePath } from "./name-path.ts";
import { APEX, NONE } from "./name-tree.ts";
import { NODES_A_TURN } from "./record-gatherer.ts";
import type { RecordStore } from "./record-store.ts";
import { FLAG } from "./zone.ts";

/** What is wrong with the set of `type` at `node`. Not `fatal`: the zone is served, the operator told. */
export interface Finding {
  readonly node: number;
  readonly type: number;
  readonly what: string;
  readonly fatal: boolean;
}

/** What may stand beside a CNAME (RFC 4034, 2.5 and 3, RFC 2535, 2.3.5), and is not looked for at its end. */
export const BESIDE_CNAME: ReadonlySet<number> = new Set([TYPE.RRSIG, TYPE.NSEC, TYPE.KEY]);
/** Rdata of one set beyond this fit into no message. */
const MOST_BYTES = 0xffff;
/** What a record takes besides its rdata when its owner is a pointer. */
const RECORD_BYTES = 12;

/** Look at the records of a zone as a whole, some at a time; every finding is told to `report`. */
export function* checkZone(
  store: RecordStore,
  flags: Uint8Array,
  report: (finding: Finding) => void,
): Generator<void, void, void> {
  const fatal = (node: number, type: number, what: string): void =>
    report({ node, type, what, fatal: true });
  const odd = (node: number, type: number, what: string): void =>
    report({ node, type, what, fatal: false });
  const target = new NamePath();

  checkApex();
  for (let node = 0; node < store.names.size; node++) {
    if (node % NODES_A_TURN === NODES_A_TURN - 1) yield;
    if (store.isEmpty(node)) continue;
    if (flagsOf(node) & FLAG.CNAME) checkBesideAlias(node);
    if (flagsOf(node) & FLAG.OCCLUDED) checkOccluded(node);
    for (let set = store.firstSet(node); set < store.firstSet(node + 1); set++) checkSet(node, set);
  }

  function checkApex(): void {
    const soa = store.find(APEX, TYPE.SOA);
    if (soa === NONE) fatal(APEX, TYPE.SOA, "is missing");
    else if (store.count(soa) > 1) fatal(APEX, TYPE.SOA, "is there more than once");
    if (store.find(APEX, TYPE.NS) === NONE) fatal(APEX, TYPE.NS, "is missing");
  }

  function checkBesideAlias(node: number): void {
    for (let set = store.firstSet(node); set < store.firstSet(node + 1); set++)
      if (store.type(set) !== TYPE.CNAME && !BESIDE_CNAME.has(store.type(set)))
        return fatal(node, store.type(set), "stands beside a CNAME (RFC 1034, 3.6.2)");
  }

  function checkOccluded(node: number): void {
    for (let set = store.firstSet(node); set < store.firstSet(node + 1); set++)
      if (store.type(set) !== TYPE.A && store.type(set) !== TYPE.AAAA)
        return odd(node, store.type(set), "is never answered: it is below a delegation or a DNAME");
  }

  function checkSet(node: number, set: number): void {
    const type = store.type(set);
    if (isTooLarge(store, set)) fatal(node, type, "is larger than any message");
    switch (type) {
      case TYPE.SOA:
        if (node !== APEX) fatal(node, type, "is not at the top of the zone");
        break;
      case TYPE.CNAME:
        if (store.count(set) > 1) fatal(node, type, "is there more than once (RFC 1034, 3.6.2)");
        break;
      case TYPE.DNAME:
        if (store.count(set) > 1) fatal(node, type, "is there more than once (RFC 6672, 2.4)");
        break;
      case TYPE.DS:
        if (!(flagsOf(node) & FLAG.CUT)) odd(node, type, "is not at a delegation");
        break;
      case TYPE.NS:
        if (store.names.isWildcard(node))
          odd(node, type, "is at a wildcard, where it delegates nothing (RFC 4592, 4.2)");
        checkTargets(node, set, 0);
        break;
      case TYPE.MX:
        checkTargets(node, set, 2);
        break;
      case TYPE.SRV:
        checkTargets(node, set, 6);
        break;
      default:
    }
  }

  /** The names at `offset` of the rdata must have addresses, as far as they are of this zone. */
  function checkTargets(node: number, set: number, offset: number): void {
    let record = store.records(set);
    for (let i = store.count(set); i > 0; i--, record = store.next(record)) {
      target.read(store.rdata, store.rdataAt(record) + offset);
      if (!target.isUnder(store.names.origin, store.names.depth)) continue;
      const what = weakness(target);
      if (what !== undefined)
        odd(node, store.type(set), `leads to ${showName(target.bytes)}, ${what}`);
    }
  }

  function weakness(name: NamePath): string | undefined {
    let node = APEX;
    let isBelowCut = false;
    for (let label = name.count - store.names.depth - 1; label >= 0; label--) {
      const child = store.names.child(node, name.bytes, name.startOf(label));
      if (child === NONE) {
        if (isBelowCut) return "whose address must be given here";
        return flagsOf(node) & (FLAG.WILDCARD | FLAG.DNAME) ? undefined : "which is not there";
      }
      node = child;
      isBelowCut ||= (flagsOf(node) & FLAG.CUT) !== 0;
    }
    if (flagsOf(node) & FLAG.CNAME) return "which is an alias (RFC 2181, 10.3)";
    const addressed =
      store.find(node, TYPE.A) !== NONE || store.find(node, TYPE.AAAA) !== NONE || isBelowCut;
    return addressed ? undefined : "which has no address";
  }

  function flagsOf(node: number): number {
    return flags[node] as number;
  }
}

function isTooLarge(store: RecordStore, set: number): boolean {
  let bytes = 0;
  let record = store.records(set);
  for (let i = store.count(set); i > 0; i--) {
    const next = store.next(record);
    bytes += next - store.rdataAt(record) + RECORD_BYTES;
    record = next;
  }
  return bytes > MOST_BYTES;
}
