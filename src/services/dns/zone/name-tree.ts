import { labelCount, lower } from "../../../wire/dns/name.ts";
import { Bytes, Words } from "./columns.ts";
import type { NamePath } from "./name-path.ts";

/** The node of the zone's own name. */
export const APEX = 0;
/** No node. */
export const NONE = -1;
/** The label of a wildcard (RFC 4592, 2.1.1), as a name so that it has an end. */
export const WILDCARD: Uint8Array = Uint8Array.of(1, 0x2a, 0);

const GOLDEN = 0x9e3779b1; // 2^32 over the golden ratio: spreads consecutive node numbers
const FNV_PRIME = 0x01000193;
/** Nodes moved to a new table with each that is added: it is done long before the next growth. */
const MOVED_AT_ONCE = 8;
/** And when no more are added. */
const MOVED_A_TURN = 16_384;

/**
 * The names of a zone, those that only lie between others (empty non-terminals) included. A node
 * is a number; what is kept of it is its own label in lower case and its parent: about 20 bytes
 * and the label. A child is found by hashing (parent, label), so a walk down from the apex costs
 * one probe a label and ends at the closest encloser by itself.
 */
export class NameTree {
  /** Lower case. */
  readonly origin: Uint8Array;
  /** Labels of the origin. */
  readonly depth: number;
  /** The root's label is an empty one here too: the apex has it. */
  readonly #labels = new Bytes();
  readonly #labelAt = new Words();
  readonly #parents = new Words();
  /** Open addressing: node + 1, or 0 for free; at most half full. */
  #table = new Uint32Array(1024);
  /** While the table has just grown: the one before, for the nodes that are not in the new one yet. */
  #old: Uint32Array | undefined;
  /** Nodes before this one, and from `#growth` on, are in the new table. */
  #moved = 0;
  #growth = 0;

  constructor(origin: Uint8Array) {
    this.origin = lower(origin);
    this.depth = labelCount(origin);
    this.#labelAt.push(0);
    this.#labels.push(0);
    this.#parents.push(APEX);
  }

  /** How many nodes there are: they are 0 to size - 1, parents before children. */
  get size(): number {
    return this.#parents.length;
  }

  /** The apex is its own parent. */
  parent(node: number): number {
    return this.#parents.array[node] as number;
  }

  /** The child of `parent` by the lower-case label at `at` of `name`; NONE when there is none. */
  child(parent: number, name: Uint8Array, at: number): number {
    const start = hash(parent, name, at, name[at] as number);
    const node = this.#probe(this.#table, start, parent, name, at);
    return node === NONE && this.#old ? this.#probe(this.#old, start, parent, name, at) : node;
  }

  /** The child of `parent` by the label that `node` has in another tree; NONE when there is none. */
  childLike(parent: number, other: NameTree, node: number): number {
    return this.child(parent, other.#labels.array, other.#labelAt.array[node] as number);
  }

  /** The node of a name at or below the origin, made with all between when it is new. */
  place(name: NamePath): number {
    let node = APEX;
    for (let label = name.count - this.depth - 1; label >= 0; label--) {
      const at = name.startOf(label);
      const child = this.child(node, name.bytes, at);
      node = child === NONE ? this.#add(node, name.bytes, at) : child;
    }
    return node;
  }

  /** The node of exactly this name, at or below the origin. */
  find(name: NamePath): number {
    let node = APEX;
    for (let label = name.count - this.depth - 1; label >= 0 && node !== NONE; label--)
      node = this.child(node, name.bytes, name.startOf(label));
    return node;
  }

  /** Write the whole name into `into`, and say where it ends. It may take 255 bytes. */
  write(node: number, into: Uint8Array, at: number): number {
    for (let n = node; n !== APEX; n = this.parent(n)) {
      const from = this.#labelAt.array[n] as number;
      const length = this.#labels.array[from] as number;
      for (let i = 0; i <= length; i++) into[at++] = this.#labels.array[from + i] as number;
    }
    for (let i = 0; i < this.origin.length; i++) into[at++] = this.origin[i] as number;
    return at;
  }

  name(node: number): Uint8Array {
    const into = new Uint8Array(256);
    return into.slice(0, this.write(node, into, 0));
  }

  /**
   * The canonical order (RFC 4034, 6.1) of a node's own label against the one at `at` of `name`:
   * below, 0 or above 0.
   */
  compareLabel(node: number, name: Uint8Array, at: number): number {
    const from = this.#labelAt.array[node] as number;
    const mine = this.#labels.array[from] as number;
    const other = name[at] as number;
    for (let i = 1; i <= mine && i <= other; i++) {
      const order = (this.#labels.array[from + i] as number) - (name[at + i] as number);
      if (order !== 0) return order;
    }
    return mine - other;
  }

  isWildcard(node: number): boolean {
    return node !== APEX && this.#hasLabel(node, WILDCARD, 0);
  }

  /** What it holds, in bytes. */
  get bytes(): number {
    const { byteLength: labelAt } = this.#labelAt.array;
    const { byteLength: parents } = this.#parents.array;
    return this.#labels.array.byteLength + labelAt + parents + this.#table.byteLength;
  }

  /** Give back the room that growing left over. In turns. */
  *trim(): Generator<void, void, void> {
    while (this.#old !== undefined) {
      this.#move(MOVED_A_TURN);
      yield;
    }
    this.#labels.trim();
    this.#labelAt.trim();
    this.#parents.trim();
  }

  #hasLabel(node: number, name: Uint8Array, at: number): boolean {
    const labels = this.#labels.array;
    const from = this.#labelAt.array[node] as number;
    const length = labels[from] as number;
    for (let i = 0; i <= length; i++) if (labels[from + i] !== name[at + i]) return false;
    return true;
  }

  #add(parent: number, name: Uint8Array, at: number): number {
    const node = this.size;
    if ((node + 1) * 2 > this.#table.length) this.#grow();
    const length = name[at] as number;
    const from = this.#labels.reserve(length + 1);
    for (let i = 0; i <= length; i++) this.#labels.array[from + i] = name[at + i] as number;
    this.#labelAt.push(from);
    this.#parents.push(parent);
    this.#enter(node);
    if (this.#old !== undefined) this.#move(MOVED_AT_ONCE);
    return node;
  }

  #probe(table: Uint32Array, start: number, parent: number, name: Uint8Array, at: number): number {
    const mask = table.length - 1;
    for (let slot = start & mask; ; slot = (slot + 1) & mask) {
      const node = (table[slot] as number) - 1;
      if (node < 0) return NONE;
      if (this.#parents.array[node] === parent && this.#hasLabel(node, name, at)) return node;
    }
  }

  /** Into a table twice as large the nodes go little by little: a million at once would take a while. */
  #grow(): void {
    this.#old = this.#table;
    this.#table = new Uint32Array(this.#table.length * 2);
    this.#moved = APEX + 1;
    this.#growth = this.size;
  }

  /** Some nodes from the old table into the new one. Those that came since are there already. */
  #move(count: number): void {
    const end = Math.min(this.#moved + count, this.#growth);
    for (let node = this.#moved; node < end; node++) this.#enter(node);
    this.#moved = end;
    if (end === this.#growth) this.#old = undefined;
  }

  #enter(node: number): void {
    const mask = this.#table.length - 1;
    const from = this.#labelAt.array[node] as number;
    const labels = this.#labels.array;
    let slot = hash(this.parent(node), labels, from, labels[from] as number) & mask;
    while (this.#table[slot] !== 0) slot = (slot + 1) & mask;
    this.#table[slot] = node + 1;
  }
}

/** FNV-1a over the label, from a start that is the parent's. */
function hash(parent: number, name: Uint8Array, at: number, length: number): number {
  let state = Math.imul(parent + 1, GOLDEN);
  for (let i = at + 1; i <= at + length; i++)
    state = Math.imul(state ^ (name[i] as number), FNV_PRIME);
  const mixed = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d);
  return mixed ^ (mixed >>> 13);
}
