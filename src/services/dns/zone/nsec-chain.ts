import { showName } from "../../../wire/dns/name.ts";
import { TYPE } from "../../../wire/dns/types.ts";
import type { Denial } from "./denial.ts";
import { NamePath } from "./name-path.ts";
import { APEX, NONE } from "./name-tree.ts";
import { type Entries, KIND } from "./outcome.ts";
import { NODES_A_TURN } from "./record-gatherer.ts";
import type { RecordStore } from "./record-store.ts";

/** Denial by NSEC (RFC 4034, 4; RFC 4035, 3.1.3): the chain is followed once, then searched. */
export class NsecChain implements Denial {
  readonly #store: RecordStore;
  /** Nodes that have an NSEC, in canonical order. */
  readonly #order: Uint32Array;
  readonly #path = new Uint32Array(128);
  readonly #other = new NamePath();

  private constructor(store: RecordStore, order: Uint32Array) {
    this.#store = store;
    this.#order = order;
  }

  /** Follow the chain from the apex around, some at a time. A string says what is wrong with it. */
  static *follow(store: RecordStore): Generator<void, NsecChain | string, void> {
    const order = new Uint32Array(store.names.size);
    const chain = new NsecChain(store, order);
    const next = new NamePath();
    let length = 0;
    let node = APEX;
    do {
      if (length % NODES_A_TURN === NODES_A_TURN - 1) yield;
      const set = store.find(node, TYPE.NSEC);
      if (set === NONE) return `${show(store, node)} has no NSEC, but the chain leads to it`;
      order[length++] = node;
      next.read(store.rdata, store.rdataAt(store.records(set)));
      const to = next.isUnder(store.names.origin, store.names.depth)
        ? store.names.find(next)
        : NONE;
      if (to === NONE) return `the NSEC of ${show(store, node)} leads to a name that is not there`;
      if (to !== APEX && chain.#compare(node, next) >= 0)
        return `the NSEC of ${show(store, node)} leads backwards`;
      node = to;
    } while (node !== APEX);
    return new NsecChain(store, order.slice(0, length));
  }

  get length(): number {
    return this.#order.length;
  }

  noData(_name: NamePath, node: number, _owner: number, into: Entries): void {
    const set = this.#store.find(node, TYPE.NSEC);
    if (set !== NONE) return into.once(KIND.SET, set, node);
    this.#other.readNode(this.#store.names, node); // an empty non-terminal
    this.#cover(this.#other, into);
  }

  noName(name: NamePath, _owner: number, closest: number, _left: number, into: Entries): void {
    this.#cover(name, into);
    this.#other.readWildcard(this.#store.names, closest);
    this.#cover(this.#other, into);
  }

  expanded(name: NamePath, _closest: number, _left: number, into: Entries): void {
    this.#cover(name, into);
  }

  expandedNoData(
    name: NamePath,
    _owner: number,
    _closest: number,
    _left: number,
    wildcard: number,
    into: Entries,
  ): void {
    this.#cover(name, into);
    this.noData(name, wildcard, wildcard, into);
  }

  /** The NSEC of the last name that is not behind `name`. */
  #cover(name: NamePath, into: Entries): void {
    let low = 0; // the apex is never behind
    let high = this.#order.length;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if (this.#compare(this.#order[middle] as number, name) <= 0) low = middle;
      else high = middle;
    }
    const node = this.#order[low] as number;
    into.once(KIND.SET, this.#store.find(node, TYPE.NSEC), node);
  }

  /** The canonical order (RFC 4034, 6.1) of a node and a name of this zone: below, 0 or above 0. */
  #compare(node: number, name: NamePath): number {
    const { names } = this.#store;
    let mine = 0;
    for (let n = node; n !== APEX; n = names.parent(n)) this.#path[mine++] = n;
    let other = name.count - names.depth;
    while (mine > 0 && other > 0) {
      const order = names.compareLabel(
        this.#path[--mine] as number,
        name.bytes,
        name.startOf(--other),
      );
      if (order !== 0) return order;
    }
    return mine - other;
  }
}

function show(store: RecordStore, node: number): string {
  return showName(store.names.name(node));
}
