import { copy } from "../udt/copy.ts";
import type { InOrder } from "./flow-order.ts";
import { UNORDERED } from "./flow.ts";
import { BOUNDARY, isJoint, PART, partAt, TAIL } from "./fragment.ts";
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

  /** The part, or the two, before the tail at the end of `bytes` are the next of `flow`. */
  deliver(bytes: Uint8Array, flow: number): void {
    const length = bytes.length - TAIL;
    const part = partAt(bytes, length);
    if (!isJoint(bytes, length)) return this.#take(bytes, 0, length, flow, part);
    const end = length - BOUNDARY;
    const middle = end < 0 ? 0 : ((bytes[end] as number) << 8) | (bytes[end + 1] as number);
    if (middle === 0 || middle >= end) return this.broken(flow);
    this.#take(bytes, 0, middle, flow, (part & PART.first) | PART.last);
    this.#take(bytes, middle, end, flow, (part & PART.last) | PART.first);
  }

  /** A part alone is of no use any more. */
  late(bytes: Uint8Array): void {
    const length = bytes.length - TAIL;
    if (partAt(bytes, length) === PART.whole && !isJoint(bytes, length))
      this.#deliver(bytes.subarray(0, length));
  }

  /** What follows in `flow` does not belong to what is there. */
  broken(flow: number): void {
    const partial = this.#partial.get(flow);
    if (partial === undefined) return;
    this.#partial.delete(flow);
    this.#keep(partial.block);
    this.torn++;
  }

  #take(bytes: Uint8Array, from: number, to: number, flow: number, part: number): void {
    const begins = (part & PART.first) !== 0;
    if (begins && this.#partial.size > 0) this.broken(flow);
    if (part === PART.whole) return this.#deliver(bytes.subarray(from, to));
    if (flow === UNORDERED) return;
    const partial = begins ? this.#begin(flow) : this.#partial.get(flow);
    if (partial === undefined) return; // its beginning is lost
    const length = partial.length + to - from;
    if (length > LONGEST) return this.broken(flow);
    copy(bytes, from, to, partial.block, partial.length);
    partial.length = length;
    if ((part & PART.last) === 0) return;
    this.#partial.delete(flow);
    this.#deliver(partial.block.subarray(0, length));
    this.#keep(partial.block);
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
