import { copy } from "../udt/copy.ts";
import type { InOrder } from "./flow-order.ts";
import { UNORDERED } from "./flow.ts";
import { PART, partAt, TAIL } from "./fragment.ts";
import { MAX_PACKET, TRAILER } from "./plaintext.ts";

/** The longest plaintext there can be. */
export const LONGEST: number = MAX_PACKET + TRAILER;
/** Most that are half there at once, of as many flows: 16 MB. Then the oldest of them is given up. */
const MOST = 256;
/** Blocks kept for the next ones. */
const SPARE = 8;

interface Partial {
  readonly block: Uint8Array;
  length: number;
}

/**
 * Plaintexts of parts that come in their order: the parts of one flow are those of one plaintext after
 * the other. One that turns out to lack a part is forgotten, and so is one whose flow breaks off.
 */
export class Assembly implements InOrder {
  readonly #deliver: (plain: Uint8Array) => void;
  /** Those that are half there, by their flow, the oldest first. */
  readonly #partial = new Map<number, Partial>();
  readonly #spare: Uint8Array[] = [];
  /** Plaintexts of which some parts came and others never will. */
  torn = 0;

  /** `deliver` must not keep what it is given. */
  constructor(deliver: (plain: Uint8Array) => void) {
    this.#deliver = deliver;
  }

  /** Flows with a plaintext that is half there. */
  get waiting(): number {
    return this.#partial.size;
  }

  /** The part before the tail at the end of `bytes` is the next of `flow`. */
  deliver(bytes: Uint8Array, flow: number): void {
    const length = bytes.length - TAIL;
    const part = partAt(bytes, length);
    const begins = (part & PART.first) !== 0;
    if (begins && this.#partial.size > 0) this.broken(flow);
    if (part === PART.whole) return this.#deliver(bytes.subarray(0, length));
    if (flow === UNORDERED) return;
    const partial = begins ? this.#begin(flow) : this.#partial.get(flow);
    if (partial === undefined) return; // its beginning is lost
    if (partial.length + length > LONGEST) return this.broken(flow);
    copy(bytes, 0, length, partial.block, partial.length);
    partial.length += length;
    if ((part & PART.last) === 0) return;
    this.#partial.delete(flow);
    this.#deliver(partial.block.subarray(0, partial.length));
    this.#keep(partial.block);
  }

  /** A part alone is of no use any more. */
  late(bytes: Uint8Array): void {
    const length = bytes.length - TAIL;
    if (partAt(bytes, length) === PART.whole) this.#deliver(bytes.subarray(0, length));
  }

  /** What follows in `flow` does not belong to what is there. */
  broken(flow: number): void {
    const partial = this.#partial.get(flow);
    if (partial === undefined) return;
    this.#partial.delete(flow);
    this.#keep(partial.block);
    this.torn++;
  }

  #begin(flow: number): Partial {
    for (const oldest of this.#partial.keys()) {
      if (this.#partial.size < MOST) break;
      this.broken(oldest);
    }
    const block = this.#spare.pop() ?? new Uint8Array(LONGEST);
    const partial = { block, length: 0 };
    this.#partial.set(flow, partial);
    return partial;
  }

  #keep(block: Uint8Array): void {
    if (this.#spare.length < SPARE) this.#spare.push(block);
  }
}
