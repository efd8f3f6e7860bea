import { copy } from "../udt/copy.ts";
import { FLOWS } from "./flow.ts";
import { BOUNDARY, emitTail, type Fragment, NUMBERS, PART, TAIL } from "./fragment.ts";
import type { Memory } from "./memory.ts";

/** What is left over waits for the next only when that has so many bytes of room behind it. */
const LEAST_ROOM = 64;

/** A message of UDT: `bytes`, which are not to be kept. */
export type Say = (bytes: Uint8Array) => void;

/**
 * Cuts plaintexts into parts that fill datagrams: what is left over of one goes with the beginning of the next of
 * its flow, when it is known that there is one.
 */
export class Packer {
  /** Bytes of plaintexts in a datagram: no more than at first. */
  room: number;
  readonly #say: Say;
  readonly #numbers = new Uint32Array(FLOWS);
  readonly #memory: Memory;
  readonly #fragment: Fragment = { flow: 0, part: 0, number: 0, joint: false };
  /** What is left over of one plaintext: how much, of which flow, and whether it is all of it (first) or its end. */
  readonly #kept: Uint8Array;
  #left = 0;
  #leftFlow = 0;
  #leftPart: number = PART.middle;

  constructor(room: number, say: Say) {
    this.room = room;
    this.#say = say;
    const bytes = new Uint8Array(new ArrayBuffer(room + TAIL));
    this.#memory = { bytes, view: new DataView(bytes.buffer) };
    this.#kept = new Uint8Array(room);
  }

  /** The flow of what is left over; -1: nothing is. */
  get waits(): number {
    return this.#left === 0 ? -1 : this.#leftFlow;
  }

  /** One plaintext of `flow`. `more`: another will be put before long, or `flush` be called. */
  put(bytes: Uint8Array, flow: number, more: boolean): void {
    const own = this.#memory.bytes;
    const { length } = bytes;
    let from = this.waits === flow ? this.#join(bytes, flow) : 0;
    while (from < length) {
      const end = Math.min(from + this.room, length);
      const part = from === 0 ? PART.first : PART.middle;
      const fits = end - from + BOUNDARY + LEAST_ROOM <= this.room;
      if (more && end === length && fits && this.#left === 0) {
        copy(bytes, from, end, this.#kept, 0);
        this.#left = end - from;
        this.#leftFlow = flow;
        this.#leftPart = part;
        return;
      }
      copy(bytes, from, end, own, 0);
      this.#emit(flow, part | (end === length ? PART.last : 0), end - from, false);
      from = end;
    }
  }

  /** Nothing follows what is left over. */
  flush(): void {
    const length = this.#left;
    if (length === 0) return;
    this.#left = 0;
    copy(this.#kept, 0, length, this.#memory.bytes, 0);
    this.#emit(this.#leftFlow, this.#leftPart | PART.last, length, false);
  }

  /** Begin anew: nothing is left over, and numbers begin at 0. */
  reset(): void {
    this.#left = 0;
    this.#numbers.fill(0);
  }

  /** What is left over, and as much of `bytes` as fits behind it: how much that is. */
  #join(bytes: Uint8Array, flow: number): number {
    const { bytes: own, view } = this.#memory;
    const left = this.#left;
    const taken = Math.min(this.room - BOUNDARY - left, bytes.length);
    if (taken <= 0) {
      this.flush(); // there is less room than there was
      return 0;
    }
    this.#left = 0;
    copy(this.#kept, 0, left, own, 0);
    copy(bytes, 0, taken, own, left);
    view.setUint16(left + taken, left);
    const part = this.#leftPart | (taken === bytes.length ? PART.last : 0);
    this.#emit(flow, part, left + taken + BOUNDARY, true);
    return taken;
  }

  #emit(flow: number, part: number, length: number, joint: boolean): void {
    const fragment = this.#fragment;
    fragment.flow = flow;
    fragment.part = part;
    fragment.number = this.#numbers[flow] ?? 0;
    fragment.joint = joint;
    if (flow < FLOWS) this.#numbers[flow] = (fragment.number + 1) % NUMBERS;
    emitTail(this.#memory, length, fragment);
    this.#say(this.#memory.bytes.subarray(0, length + TAIL));
  }
}
