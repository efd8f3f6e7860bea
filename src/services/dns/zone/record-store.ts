import { type NameTree, NONE } from "./name-tree.ts";

/** The columns of a store: one number for each RRset, and the rdata of all. */
export interface SetColumns {
  /** For each node its first set; one more at the end. */
  readonly first: Uint32Array;
  readonly types: Uint16Array;
  /** Seconds. */
  readonly ttls: Uint32Array;
  /** Where the rdata of each set begin in `rdata`. */
  readonly at: Uint32Array;
  /** How many records, and how many RRSIGs that cover them behind those. */
  readonly counts: Uint16Array;
  readonly signatures: Uint16Array;
  /** For each record two bytes of length, then the rdata in wire form. */
  readonly rdata: Uint8Array;
}

/**
 * Names and their RRsets, a set being a number: 14 bytes for each set and 2 for each record
 * besides the names and the rdata themselves. Signatures (RFC 4034, 3) are not sets of their own;
 * they stand behind the records they cover. Nothing changes once it is made.
 */
export class RecordStore {
  readonly names: NameTree;
  readonly rdata: Uint8Array;
  readonly #columns: SetColumns;

  constructor(names: NameTree, columns: SetColumns) {
    this.names = names;
    this.rdata = columns.rdata;
    this.#columns = columns;
  }

  /** How many sets there are; those of a node have adjacent numbers. */
  get sets(): number {
    return this.#columns.types.length;
  }

  /** The sets of `node` are `firstSet(node)` to before `firstSet(node + 1)`, by type. */
  firstSet(node: number): number {
    return this.#columns.first[node] as number;
  }

  /** The node that `set` belongs to. */
  nodeOf(set: number): number {
    const { first } = this.#columns;
    let low = 0;
    let high = first.length - 1;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if ((first[middle] as number) <= set) low = middle;
      else high = middle;
    }
    return low;
  }

  /** A name that only lies between others has none (RFC 4592, 2.2.2). */
  isEmpty(node: number): boolean {
    return this.firstSet(node) === this.firstSet(node + 1);
  }

  /** The set of `type` at `node`; NONE when there is none. */
  find(node: number, type: number): number {
    const end = this.firstSet(node + 1);
    for (let set = this.firstSet(node); set < end; set++)
      if (this.#columns.types[set] === type) return set;
    return NONE;
  }

  type(set: number): number {
    return this.#columns.types[set] as number;
  }
  ttl(set: number): number {
    return this.#columns.ttls[set] as number;
  }
  count(set: number): number {
    return this.#columns.counts[set] as number;
  }
  signatures(set: number): number {
    return this.#columns.signatures[set] as number;
  }

  /** Where the first record of `set` is; `rdataAt` and `next` take it from there. */
  records(set: number): number {
    return this.#columns.at[set] as number;
  }
  /** Where the last record or signature of `set` ends. */
  endOfRecords(set: number): number {
    let at = this.records(set);
    for (let i = this.count(set) + this.signatures(set); i > 0; i--) at = this.next(at);
    return at;
  }
  /** Where the rdata of the record at `record` begin. */
  rdataAt(record: number): number {
    return record + 2;
  }
  /** Where the record after the one at `record` is, and where its rdata end. */
  next(record: number): number {
    return (
      record + 2 + (((this.rdata[record] as number) << 8) | (this.rdata[record + 1] as number))
    );
  }

  /** The rdata of the only record, or the first; shares memory. */
  firstRdata(set: number): Uint8Array {
    const record = this.records(set);
    return this.rdata.subarray(this.rdataAt(record), this.next(record));
  }

  /** Everything it holds, in bytes. */
  get bytes(): number {
    const { first, types, ttls, at, counts, signatures, rdata } = this.#columns;
    const columns = [first, types, ttls, at, counts, signatures, rdata];
    return columns.reduce((sum, column) => sum + column.byteLength, this.names.bytes);
  }
}
