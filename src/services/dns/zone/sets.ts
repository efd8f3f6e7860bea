import { Bytes, Words } from "./columns.ts";
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

  /** Nothing more will come. */
  columns(nodes: number): SetColumns {
    this.beginNode(nodes);
    for (const column of [this.#ttls, this.#at, this.#rdata]) column.trim();
    return {
      first: this.#first,
      types: shorts(this.#types),
      ttls: this.#ttls.array,
      at: this.#at.array,
      counts: shorts(this.#counts),
      signatures: shorts(this.#signatures),
      rdata: this.#rdata.array,
    };
  }
}

function shorts({ array, length }: Words): Uint16Array {
  return Uint16Array.from(array.subarray(0, length));
}
