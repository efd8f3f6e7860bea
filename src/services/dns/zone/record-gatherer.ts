import { TYPE } from "../../../wire/dns/types.ts";
import { Bytes, Words } from "./columns.ts";
import type { NamePath } from "./name-path.ts";
import { NameTree } from "./name-tree.ts";
import { RecordStore } from "./record-store.ts";
import { MOST_RECORDS, Sets } from "./sets.ts";

/** Something about the set of `type` at `node`. */
export interface SetRemark {
  readonly node: number;
  readonly type: number;
  readonly what: string;
}

/** Where a record was written. */
export interface Place {
  readonly file: string;
  /** From 1; 0 when nobody knows. */
  readonly line: number;
}

/** A record in buffers that are used again, as `scanZone` gives it. */
export interface Gathered extends Place {
  readonly type: number;
  readonly ttl: number;
  readonly rdata: Uint8Array;
  readonly rdataLength: number;
}

/** What takes about a millisecond. */
export const NODES_A_TURN = 2048;
/** The same of records that are only counted. */
const COUNTED_A_TURN = 32 * NODES_A_TURN;
/** Above this a set's duplicates are looked for by a Set instead of one against the other. */
const FEW = 16;

/**
 * Takes records in any order into flat columns, 16 bytes and the rdata for each, and sorts them
 * into a store at the end. A zone of a million records is never a million objects.
 */
export class RecordGatherer {
  readonly names: NameTree;
  readonly #nodes = new Words();
  readonly #types = new Words();
  readonly #ttls = new Words();
  readonly #lines = new Words();
  readonly #at = new Words();
  readonly #rdata = new Bytes();
  /** From which record on they come from which file. */
  readonly #files: { readonly from: number; readonly file: string }[] = [];

  constructor(origin: Uint8Array) {
    this.names = new NameTree(origin);
  }

  /** Where the first record of `type` at `node` was written. */
  placeOf(node: number, type: number): Place {
    for (let i = 0; i < this.length; i++)
      if (this.#nodes.array[i] === node && this.#types.array[i] === type) {
        const file = this.#files.findLast(({ from }) => from <= i)?.file ?? "";
        return { file, line: this.#lines.array[i] as number };
      }
    return { file: this.#files[0]?.file ?? "", line: 0 };
  }

  get length(): number {
    return this.#nodes.length;
  }

  /** `name`, the record's, must be at or below the origin. */
  add(name: NamePath, record: Gathered): void {
    const { type, ttl, rdata, rdataLength, file, line } = record;
    const node = this.names.place(name);
    if (file !== this.#files.at(-1)?.file) this.#files.push({ from: this.length, file });
    this.#nodes.push(node);
    this.#types.push(type);
    this.#ttls.push(ttl);
    this.#lines.push(line);
    const at = this.#rdata.reserve(rdataLength + 2);
    const { array } = this.#rdata;
    array[at] = rdataLength >>> 8;
    array[at + 1] = rdataLength & 0xff;
    for (let i = 0; i < rdataLength; i++) array[at + 2 + i] = rdata[i] as number;
    this.#at.push(at);
  }

  /**
   * The store of all that was added: equal records once (RFC 2181, 5), a set's TTL the lowest of
   * its records' (5.2). What was odd on the way is told to `remark`. Yields now and then, so that
   * others of the thread get their turn.
   */
  *finish(remark: (remark: SetRemark) => void): Generator<void, RecordStore, void> {
    const order = yield* this.#byNode();
    const sets = new Sets(this.names.size);
    let from = 0;
    for (let node = 0; node < this.names.size; node++) {
      if (node % NODES_A_TURN === NODES_A_TURN - 1) yield;
      sets.beginNode(node);
      let to = from;
      while (to < order.length && this.#nodes.array[order[to] as number] === node) to++;
      this.#sortByType(order, from, to);
      for (let begin = from; begin < to;) {
        const end = this.#endOfSet(order, begin, to);
        for (const odd of this.#gather(order, begin, end, node, sets)) remark(odd);
        begin = end;
      }
      from = to;
    }
    yield* this.names.trim();
    return new RecordStore(this.names, yield* sets.columns(this.names.size));
  }

  /** The numbers of all records, by node, in the order they came: a counting sort. */
  *#byNode(): Generator<void, Uint32Array, void> {
    const next = new Uint32Array(this.names.size + 1);
    for (let i = 0; i < this.length; i++) {
      if (i % COUNTED_A_TURN === COUNTED_A_TURN - 1) yield;
      const after = (this.#nodes.array[i] as number) + 1;
      next[after] = (next[after] as number) + 1;
    }
    for (let node = 1; node < next.length; node++)
      next[node] = (next[node] as number) + (next[node - 1] as number);
    const order = new Uint32Array(this.length);
    for (let i = 0; i < this.length; i++) {
      if (i % COUNTED_A_TURN === COUNTED_A_TURN - 1) yield;
      const node = this.#nodes.array[i] as number;
      const at = next[node] as number;
      order[at] = i;
      next[node] = at + 1;
    }
    return order;
  }

  #sortByType(order: Uint32Array, from: number, to: number): void {
    if (to - from < 2) return;
    const rank = (i: number): number => this.#covers(i) * 2 + (this.#isSignature(i) ? 1 : 0);
    order.subarray(from, to).sort((a, b) => rank(a) - rank(b) || a - b);
  }

  #endOfSet(order: Uint32Array, from: number, to: number): number {
    const type = this.#covers(order[from] as number);
    let end = from + 1;
    while (end < to && this.#covers(order[end] as number) === type) end++;
    return end;
  }

  /** One set of `node`: the records `from` to `to` of `order`, its signatures the last of them. */
  #gather(order: Uint32Array, from: number, to: number, node: number, sets: Sets): SetRemark[] {
    const first = order[from] as number;
    const about = { node, type: this.#covers(first) };
    let split = from;
    let lowest = 0xffffffff;
    let highest = 0;
    for (; split < to && !this.#isSignature(order[split] as number); split++) {
      const ttl = this.#ttls.array[order[split] as number] as number;
      lowest = Math.min(lowest, ttl);
      highest = Math.max(highest, ttl);
    }
    if (split === from) return [{ ...about, what: "signs nothing" }];

    sets.begin(about.type, lowest);
    const count = this.#copy(order, from, split, sets);
    const signatures = this.#copy(order, split, to, sets);
    sets.end(count, signatures);
    const remarks: SetRemark[] = [];
    if (highest > lowest) remarks.push({ ...about, what: "has several TTLs" });
    if (Math.max(count, signatures) > MOST_RECORDS)
      remarks.push({ ...about, what: "has more records than a message can count" });
    return remarks;
  }

  /** Copy the rdata of the records `from` to `to` of `order`, each once; how many there were. */
  #copy(order: Uint32Array, from: number, to: number, sets: Sets): number {
    const seen = to - from > FEW ? new Set<string>() : undefined;
    let count = 0;
    for (let i = from; i < to; i++) {
      const record = order[i] as number;
      if (seen ? this.#seen(seen, record) : this.#repeats(order, from, i)) continue;
      const at = this.#at.array[record] as number;
      sets.add(this.#rdata.array, at, at + 2 + this.#rdataLength(record));
      count++;
    }
    return count;
  }

  #seen(seen: Set<string>, record: number): boolean {
    const at = (this.#at.array[record] as number) + 2;
    const rdata = Buffer.from(this.#rdata.array.buffer, at, this.#rdataLength(record));
    const { size } = seen;
    return seen.add(rdata.toString("latin1")).size === size;
  }

  #repeats(order: Uint32Array, from: number, i: number): boolean {
    for (let k = from; k < i; k++)
      if (this.#sameRdata(order[k] as number, order[i] as number)) return true;
    return false;
  }

  #sameRdata(a: number, b: number): boolean {
    const { array } = this.#rdata;
    const i = this.#at.array[a] as number;
    const j = this.#at.array[b] as number;
    for (let k = this.#rdataLength(a) + 1; k >= 0; k--)
      if (array[i + k] !== array[j + k]) return false;
    return true;
  }

  #rdataLength(record: number): number {
    const at = this.#at.array[record] as number;
    return ((this.#rdata.array[at] as number) << 8) | (this.#rdata.array[at + 1] as number);
  }

  #isSignature(record: number): boolean {
    return this.#types.array[record] === TYPE.RRSIG;
  }

  /** The type of the set a record belongs to: its own, or the one it signs (RFC 4034, 3.1.1). */
  #covers(record: number): number {
    if (!this.#isSignature(record)) return this.#types.array[record] as number;
    const at = (this.#at.array[record] as number) + 2;
    return ((this.#rdata.array[at] as number) << 8) | (this.#rdata.array[at + 1] as number);
  }
}
