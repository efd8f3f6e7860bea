import { MAX_NAME, showName } from "../../../wire/dns/name.ts";
import { TYPE } from "../../../wire/dns/types.ts";
import type { Denial } from "./denial.ts";
import type { NamePath } from "./name-path.ts";
import { APEX, NONE, WILDCARD } from "./name-tree.ts";
import { HASH_LABEL, HASH_WORDS, Nsec3Hash, readHash } from "./nsec3-hash.ts";
import { type Entries, KIND } from "./outcome.ts";
import { NODES_A_TURN } from "./record-gatherer.ts";
import type { RecordStore } from "./record-store.ts";
import { sortHashes } from "./sort-hashes.ts";

/** Above this, validators take a zone for unsigned or broken (RFC 9276, 3.2), and each answer costs as many hashes. */
const MOST_ITERATIONS = 150;

/** Denial by NSEC3 (RFC 5155, 7.2): the hashes in order, and which of them stands for which node. */
export class Nsec3Chain implements Denial {
  readonly #store: RecordStore;
  readonly #hashed: RecordStore;
  readonly #hash: Nsec3Hash;
  /** The nodes of the hashed names, in the order of the hashes, and five words of hash for each. */
  readonly #order: Uint32Array;
  readonly #words: Uint32Array;
  /** By node of the zone, filled as it is asked: 0 not yet, its NSEC3's index + 1, -1 for none. */
  readonly #matches: Int32Array;
  /** By node: the index + 1 of the NSEC3 that covers or is the wildcard below it. */
  readonly #wildcards: Int32Array;
  readonly #name = new Uint8Array(MAX_NAME + WILDCARD.length);

  private constructor(
    store: RecordStore,
    hashed: RecordStore,
    hash: Nsec3Hash,
    order: Uint32Array,
    words: Uint32Array,
  ) {
    this.#store = store;
    this.#hashed = hashed;
    this.#hash = hash;
    this.#order = order;
    this.#words = words;
    this.#matches = new Int32Array(store.names.size);
    this.#wildcards = new Int32Array(store.names.size);
  }

  /**
   * The chain among `hashed` that has the parameters of `param`, the rdata of an NSEC3PARAM, for
   * the names of `store`; found some at a time. A string says what is wrong with it.
   */
  static *follow(
    store: RecordStore,
    hashed: RecordStore,
    param: Uint8Array,
  ): Generator<void, Nsec3Chain | string, void> {
    const hash = new Nsec3Hash(param);
    if (param[0] !== 1) return `NSEC3 with hash algorithm ${param[0]}`;
    if (hash.iterations > MOST_ITERATIONS)
      return `NSEC3 with ${hash.iterations} iterations; more than ${MOST_ITERATIONS} are not answered from (RFC 9276 wants 0)`;
    const found = yield* readHashes(hashed, hash);
    if (typeof found === "string") return found;
    const { order } = found;
    const chain = new Nsec3Chain(store, hashed, hash, order, found.words);
    for (let i = 0; i < order.length; i++) {
      if (i % NODES_A_TURN === NODES_A_TURN - 1) yield;
      if (!chain.#leadsOn(i))
        return `the NSEC3 of ${showName(hashed.names.name(order[i] as number))} does not lead to the next`;
    }
    if (chain.#match(APEX) === NONE) return "no NSEC3 stands for the name of the zone";
    return chain;
  }

  noData(name: NamePath, node: number, _owner: number, into: Entries): void {
    const match = this.#match(node);
    if (match !== NONE) return this.#add(match, into);
    // Below an opt-out span, where only a cut without DS, or what leads to it, can be (7.2.4).
    const left = name.count - this.#depth(node);
    this.#closestEncloser(name, this.#store.names.parent(node), left + 1, into);
  }

  noName(name: NamePath, _owner: number, closest: number, left: number, into: Entries): void {
    const encloser = this.#closestEncloser(name, closest, left, into);
    this.#add(this.#wildcard(encloser), into);
  }

  expanded(name: NamePath, _closest: number, left: number, into: Entries): void {
    this.#coverNextCloser(name, left, into);
  }

  expandedNoData(
    name: NamePath,
    _owner: number,
    closest: number,
    left: number,
    wildcard: number,
    into: Entries,
  ): void {
    this.#closestEncloser(name, closest, left, into);
    const match = this.#match(wildcard);
    if (match !== NONE) this.#add(match, into);
  }

  /** The closest provable encloser at or above `node`, and that there is nothing closer (7.2.1). */
  #closestEncloser(name: NamePath, node: number, left: number, into: Entries): number {
    let match = this.#match(node);
    for (; match === NONE; left++) {
      node = this.#store.names.parent(node);
      match = this.#match(node);
    }
    this.#add(match, into);
    this.#coverNextCloser(name, left, into);
    return node;
  }

  /** The name that is one label longer than the closest encloser is not there. */
  #coverNextCloser(name: NamePath, left: number, into: Entries): void {
    this.#hash.of(name.bytes, name.startOf(left - 1), name.length);
    this.#add(this.#search(), into);
  }

  #add(index: number, into: Entries): void {
    const node = this.#order[index] as number;
    into.once(KIND.HASHED, this.#hashed.find(node, TYPE.NSEC3), node);
  }

  #match(node: number): number {
    let known = this.#matches[node] as number;
    if (known === 0) {
      this.#hash.of(this.#name, 0, this.#store.names.write(node, this.#name, 0));
      const index = this.#search();
      known = this.#compare(index) === 0 ? index + 1 : -1;
      this.#matches[node] = known;
    }
    return known < 0 ? NONE : known - 1;
  }

  #wildcard(node: number): number {
    let known = this.#wildcards[node] as number;
    if (known === 0) {
      this.#name.set(WILDCARD);
      const end = this.#store.names.write(node, this.#name, WILDCARD.length - 1);
      this.#hash.of(this.#name, 0, end);
      known = this.#search() + 1;
      this.#wildcards[node] = known;
    }
    return known - 1;
  }

  /** Labels of the name of `node`. */
  #depth(node: number): number {
    let depth = this.#store.names.depth;
    for (let n = node; n !== APEX; n = this.#store.names.parent(n)) depth++;
    return depth;
  }

  /** The NSEC3 whose hash is the hashed one or the last before it; the last of all before the first. */
  #search(): number {
    let low = 0;
    let high = this.#order.length;
    if (this.#compare(0) > 0) return high - 1;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if (this.#compare(middle) <= 0) low = middle;
      else high = middle;
    }
    return low;
  }

  /** The hash at `index` against the one just made. */
  #compare(index: number): number {
    for (let i = 0; i < HASH_WORDS; i++) {
      const order =
        (this.#words[index * HASH_WORDS + i] as number) - (this.#hash.words[i] as number);
      if (order !== 0) return order;
    }
    return 0;
  }

  /** Whether the next hashed owner name in the NSEC3 at `index` is the next there is. */
  #leadsOn(index: number): boolean {
    const set = this.#hashed.find(this.#order[index] as number, TYPE.NSEC3);
    const at = this.#hashed.rdataAt(this.#hashed.records(set)) + 5 + this.#hash.salt.length;
    const next = ((index + 1) % this.#order.length) * HASH_WORDS;
    if (this.#hashed.rdata[at] !== HASH_WORDS * 4) return false;
    for (let i = 0; i < HASH_WORDS * 4; i++) {
      const byte = ((this.#words[next + (i >>> 2)] as number) >>> (24 - (i & 3) * 8)) & 0xff;
      if (this.#hashed.rdata[at + 1 + i] !== byte) return false;
    }
    return true;
  }
}

/** The nodes with an NSEC3 of these parameters, sorted by what their labels say. */
function* readHashes(
  hashed: RecordStore,
  hash: Nsec3Hash,
): Generator<void, { order: Uint32Array; words: Uint32Array } | string, void> {
  const { names } = hashed;
  const byNode = new Uint32Array(names.size * HASH_WORDS);
  const nodes = new Uint32Array(names.size);
  const name = new Uint8Array(MAX_NAME);
  let length = 0;
  for (let node = APEX + 1; node < names.size; node++) {
    if (node % NODES_A_TURN === NODES_A_TURN - 1) yield;
    const set = hashed.find(node, TYPE.NSEC3);
    if (set === NONE || !hash.fits(hashed.rdata, hashed.rdataAt(hashed.records(set)))) continue;
    names.write(node, name, 0);
    const words = byNode.subarray(node * HASH_WORDS, (node + 1) * HASH_WORDS);
    if (names.parent(node) !== APEX || name[0] !== HASH_LABEL || !readHash(name, 1, words))
      return `${showName(names.name(node))} is no name for an NSEC3`;
    nodes[length++] = node;
  }
  if (length === 0) return "there is an NSEC3PARAM but no NSEC3 that fits";

  const order = yield* sortHashes(nodes.subarray(0, length), byNode);
  const words = new Uint32Array(length * HASH_WORDS);
  for (let i = 0; i < length; i++)
    for (let k = 0; k < HASH_WORDS; k++)
      words[i * HASH_WORDS + k] = byNode[(order[i] as number) * HASH_WORDS + k] as number;
  return { order, words };
}
