import { TYPE } from "../../../wire/dns/types.ts";
import { NamePath } from "./name-path.ts";
import { APEX, NONE } from "./name-tree.ts";
import { type Entries, KIND, type Outcome } from "./outcome.ts";
import type { RecordStore } from "./record-store.ts";
import { FLAG, type Zone } from "./zone.ts";

/** Sets that a courtesy may add: a set of a thousand MX is no reason for a thousand lookups. */
const MOST = 32;

/** Saves the next question: the addresses of the names that an answer leads to (RFC 1034, 4.3.2). */
export class Additional {
  readonly #target = new NamePath();

  /** `dnssec`: what is not there is proved as well, where that is wanted. */
  add(zone: Zone, out: Outcome, dnssec: boolean): void {
    const { answer, authority } = out;
    for (let i = 0; i < answer.length; i++)
      if (answer.kinds[i] === KIND.SET)
        this.#courtesy(zone, out, answer.sets[i] as number, answer.owners[i] as number, dnssec);
    for (let i = 0; i < authority.length; i++)
      if (authority.kinds[i] === KIND.BARE)
        this.#glue(zone, out, authority.sets[i] as number, authority.owners[i] as number);
  }

  #courtesy(zone: Zone, out: Outcome, set: number, owner: number, dnssec: boolean): void {
    const { store } = zone;
    const type = store.type(set);
    const at = targetOffset(type);
    if (at < 0) return;
    const isService = type === TYPE.SVCB || type === TYPE.HTTPS;
    let record = store.records(set);
    for (let i = store.count(set); i > 0 && out.additional.length < MOST; i--) {
      const rdata = store.rdataAt(record);
      record = store.next(record);
      if (isService && store.rdata[rdata + at] === 0) {
        // In ServiceMode the root means the owner itself (RFC 9460, 2.5.2).
        if (priority(store, rdata) > 0)
          addresses(store, store.nodeOf(set), owner, KIND.SET, out.additional);
        continue;
      }
      const node = this.#find(zone, rdata + at);
      if (node === NONE || zone.flags(node) & (FLAG.CUT | FLAG.OCCLUDED)) continue;
      addresses(store, node, node, KIND.SET, out.additional);
      if (!isService) continue;
      const service = store.find(node, type);
      if (service !== NONE && !out.answer.has(KIND.SET, service))
        out.additional.once(KIND.SET, service, node);
      // RFC 9460, 4.1 wants what is missing of the three to be proved missing.
      if (dnssec && lacksSome(store, node, type))
        zone.denial?.noData(this.#target, node, node, out.additional);
    }
  }

  /** Addresses of the servers below the cut must be there; of others that we know, may be (RFC 9471). */
  #glue(zone: Zone, out: Outcome, set: number, cut: number): void {
    const { store } = zone;
    let record = store.records(set);
    for (let i = store.count(set); i > 0; i--, record = store.next(record)) {
      const node = this.#find(zone, store.rdataAt(record));
      if (node === NONE) continue;
      if (isAtOrBelow(store, node, cut)) addresses(store, node, node, KIND.BARE, out.glue);
      else if (out.additional.length < MOST) {
        const ours = (zone.flags(node) & (FLAG.CUT | FLAG.OCCLUDED)) === 0;
        addresses(store, node, node, ours ? KIND.SET : KIND.BARE, out.additional);
      }
    }
  }

  /** The node of the name at `at` of the rdata, whatever is above it; NONE when it is not of this zone. */
  #find(zone: Zone, at: number): number {
    const { names } = zone.store;
    this.#target.read(zone.store.rdata, at);
    return this.#target.isUnder(names.origin, names.depth) ? names.find(this.#target) : NONE;
  }
}

/** Where in the rdata the name is that will be asked for next; -1 when there is none. */
function targetOffset(type: number): number {
  switch (type) {
    case TYPE.NS:
      return 0;
    case TYPE.MX:
    case TYPE.AFSDB:
    case TYPE.RT:
    case TYPE.KX:
    case TYPE.SVCB:
    case TYPE.HTTPS:
      return 2;
    case TYPE.SRV:
      return 6;
    default:
      return -1;
  }
}

function priority(store: RecordStore, rdata: number): number {
  return ((store.rdata[rdata] as number) << 8) | (store.rdata[rdata + 1] as number);
}

function addresses(
  store: RecordStore,
  node: number,
  owner: number,
  kind: typeof KIND.SET | typeof KIND.BARE,
  into: Entries,
): void {
  for (const type of ADDRESSES) {
    const set = store.find(node, type);
    if (set !== NONE) into.once(kind, set, owner);
  }
}
const ADDRESSES = [TYPE.A, TYPE.AAAA];

/** Whether a service at `node` lacks its own type or addresses of a family. */
function lacksSome(store: RecordStore, node: number, type: number): boolean {
  return store.find(node, type) === NONE || ADDRESSES.some((of) => store.find(node, of) === NONE);
}

function isAtOrBelow(store: RecordStore, node: number, cut: number): boolean {
  for (let n = node; n !== APEX; n = store.names.parent(n)) if (n === cut) return true;
  return false;
}
