import { Bytes, Words } from "./columns.ts";
import { NODES_A_TURN } from "./record-gatherer.ts";
import type { SetColumns } from "./record-store.ts";

/** As many as a message can count (RFC 1035, 4.1.1). */
export const MOST_RECORDS = 0xffff;

/** The columns of a store while they grow: nodes in their order, sets one after the other. */
export class Sets {
  readonly #first: Uint32Array;
  readonly #types = new Words();
  readonly #ttls = new Words();
  readonly #at = new Words();
  readonly #counts = new Words();
  readonly #signatures = new Words();
  readonly #rdata = new Bytes();

  constructor(nodes: number) {
    this.#first = new Uint32Array(nodes + 1);
  }

  beginNode(node: number): void {
    this.#first[node] = this.#types.length;
  }

  begin(type: number, ttl: number): void {
    this.#types.push(type);
    this.#ttls.push(ttl);
    this.#at.push(this.#rdata.length);
  }

  add(bytes: Uint8Array, from: number, to: number): void {
    const at = this.#rdata.reserve(to - from);
    for (let i = from; i < to; i++) this.#rdata.array[at + i - from] = bytes[i] as number;
  }

  end(count: number, signatures: number): void {
    this.#counts.push(Math.min(count, MOST_RECORDS));
    this.#signatures.push(Math.min(signatures, MOST_RECORDS));
  }

  /** Nothing more will come. One column in each turn. */
  *columns(nodes: number): Generator<void, SetColumns, void> {
    this.beginNode(nodes);
    const large = nodes >= NODES_A_TURN;
    for (const column of [this.#ttls, this.#at, this.#rdata]) {
      column.trim();
      if (large) yield;
    }
    const shorts: Uint16Array[] = [];
    for (const { array, length } of [this.#types, this.#counts, this.#signatures]) {
      shorts.push(new Uint16Array(array.subarray(0, length)));
      if (large) yield;
    }
    const [types, counts, signatures] = shorts as [Uint16Array, Uint16Array, Uint16Array];
    return {
      first: this.#first,
      types,
      ttls: this.#ttls.array,
      at: this.#at.array,
      counts,
      signatures,
      rdata: this.#rdata.array,
    };
  }
}
