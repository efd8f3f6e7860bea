import { copy } from "../udt/copy.ts";
import type { Memory } from "./memory.ts";
import { AT, KIND, TRAILER } from "./plaintext.ts";
import { isControl, putTime, seqOf, TIME, timeOf } from "./repaired.ts";

/**
 * Behind `data` datagrams of a repaired path that follow one another go `parity` more: the k-th is the exclusive or
 * of every `parity`-th of them, from the k-th on. So of that many lost in a row each is made again where it was
 * missed, a round trip before it could be repeated.
 *
 *     | exclusive or of plaintexts without times, the shorter with zeros behind … | trailer, 16 bytes, big-endian |
 *
 *     0       1       2               4               8               12
 *     | kind  | data  | … of lengths  | first number  | parity  | k   | time          |
 *
 * The time at the end of each plaintext counts as zeros: it is another one when the datagram is repeated, and either
 * may be the one that came. What is made says that it was sent at `time`, when the parity was: by that the other end
 * tells how long the path is.
 */
export interface ParityRules {
  /** At most MOST_DATA. */
  readonly data: number;
  /** At most `data`. */
  readonly parity: number;
}

export const MOST_DATA = 64;

const DATA_AT = 1;
const LENGTHS_AT = 2;
const FIRST_AT = 4;
const STEP_AT = 8;
const INDEX_AT = 10;
const TIME_AT = 12;
/** Plaintexts that are kept to make another of: a parity comes right behind its data, if the path keeps the order. */
const KEPT = 4 * MOST_DATA;
const SEQUENCES = 0x7fff_ffff;
/** No datagram is repeated that is so far behind: four windows. */
const FAR = 32_768;

interface Sum {
  readonly bytes: Uint8Array;
  length: number;
  lengths: number;
}

/** Makes the parity of what is sent. Plaintexts are of `longest` bytes at most, those of parity TRAILER longer. */
export class ParityWriter {
  readonly #rules: ParityRules;
  readonly #sums: readonly Sum[];
  #first = -1;
  #count = 0;
  /** When the newest of the group is sent. */
  #time = 0;
  /** How many of the group's parities were taken; all of them while it is not full. */
  #said: number;

  constructor(rules: ParityRules, longest: number) {
    this.#rules = rules;
    this.#said = rules.parity;
    this.#sums = Array.from({ length: rules.parity }, () => ({
      bytes: new Uint8Array(longest),
      length: 0,
      lengths: 0,
    }));
  }

  /** A plaintext of kind repaired is about to be sent: `length` bytes at `at`. None may be due. */
  add(memory: Memory, at: number, length: number): void {
    if (isControl(memory, at, length)) return;
    const { data, parity } = this.#rules;
    const seq = seqOf(memory, at, length);
    const ahead = (seq - this.#first - this.#count) & SEQUENCES;
    if (this.#first < 0 || ahead !== 0) {
      if (this.#first >= 0 && SEQUENCES - ahead < FAR) return; // it is repeated
      this.#begin(seq); // another conversation
    }
    const sum = this.#sums[this.#count % parity] as Sum; // one for each
    exclusiveOr(sum.bytes, memory.bytes, at, length - TIME);
    sum.length = Math.max(sum.length, length);
    sum.lengths ^= length;
    this.#time = timeOf(memory, at, length);
    if (++this.#count === data) this.#said = 0;
  }

  /** Write the plaintext of parity that is due now to `at`: its length, 0: none is. */
  take({ bytes, view }: Memory, at: number): number {
    const { data, parity } = this.#rules;
    if (this.#said === parity) return 0;
    const sum = this.#sums[this.#said] as Sum; // below `parity`
    const { length } = sum;
    copy(sum.bytes, 0, length, bytes, at);
    const trailer = at + length;
    bytes[trailer + AT.kind] = KIND.parity;
    bytes[trailer + DATA_AT] = data;
    view.setUint16(trailer + LENGTHS_AT, sum.lengths);
    view.setUint32(trailer + FIRST_AT, this.#first);
    view.setUint16(trailer + STEP_AT, parity);
    view.setUint16(trailer + INDEX_AT, this.#said);
    view.setUint32(trailer + TIME_AT, this.#time);
    if (++this.#said === parity) this.#begin((this.#first + data) & SEQUENCES);
    return length + TRAILER;
  }

  #begin(first: number): void {
    this.#first = first;
    this.#count = 0;
    for (const sum of this.#sums) {
      sum.bytes.fill(0);
      sum.length = sum.lengths = 0;
    }
  }
}

/** Makes what was lost of what came and its parity. */
export class ParityReader {
  readonly #longest: number;
  /** Since the peer has been known to send parity; by number, one behind the other. */
  #kept: Uint8Array | undefined;
  /** Groups that begin before it are not known whole. */
  #from = 0;
  readonly #lengths = new Uint16Array(KEPT);
  readonly #seqs = new Int32Array(KEPT).fill(-1);
  /** How many were made. */
  mended = 0;

  /** Longer plaintexts than `longest` are not made. */
  constructor(longest: number) {
    this.#longest = longest;
  }

  /** A plaintext of kind repaired came: `length` bytes at `at`. */
  saw(memory: Memory, at: number, length: number): void {
    if (this.#kept === undefined || length > this.#longest || isControl(memory, at, length)) return;
    const seq = seqOf(memory, at, length) & SEQUENCES;
    const slot = seq % KEPT;
    copy(memory.bytes, at, at + length, this.#kept, slot * this.#longest);
    this.#lengths[slot] = length;
    this.#seqs[slot] = seq;
  }

  /**
   * A plaintext of kind parity came: `length` bytes at `at`. If one of those it stands for is missing, that is made
   * there: its length. 0: none is, or more. -1: it is no parity.
   */
  take(memory: Memory, at: number, length: number): number {
    const { bytes, view } = memory;
    const trailer = at + length - TRAILER;
    const data = bytes[trailer + DATA_AT] as number; // the caller's trailer
    const step = view.getUint16(trailer + STEP_AT);
    const index = view.getUint16(trailer + INDEX_AT);
    if (data > MOST_DATA || step === 0 || index >= step || step > data) return -1;
    const first = view.getUint32(trailer + FIRST_AT);
    if (this.#kept === undefined) {
      this.#kept = new Uint8Array(KEPT * this.#longest);
      this.#from = (first + data) & SEQUENCES;
    }
    const kept = this.#kept;
    if (((this.#from - first - 1) & SEQUENCES) < FAR) return 0;
    let lengths = view.getUint16(trailer + LENGTHS_AT);
    let missing = -1;
    for (let i = index; i < data; i += step) {
      const seq = (first + i) & SEQUENCES;
      const slot = seq % KEPT;
      if (this.#seqs[slot] === seq) lengths ^= this.#lengths[slot] as number;
      else if (missing >= 0) return 0;
      else missing = seq;
    }
    if (missing < 0) return 0;
    const room = length - TRAILER;
    if (lengths < TRAILER || lengths > room || lengths > this.#longest) return -1;
    for (let i = index; i < data; i += step) {
      const slot = ((first + i) & SEQUENCES) % KEPT;
      if (((first + i) & SEQUENCES) === missing) continue;
      const from = slot * this.#longest;
      const end = Math.min((this.#lengths[slot] as number) - TIME, room);
      for (let j = 0; j < end; j++)
        bytes[at + j] = (bytes[at + j] as number) ^ (kept[from + j] as number);
    }
    const isIt =
      bytes[at + lengths - TRAILER + AT.kind] === KIND.repaired && !isControl(memory, at, lengths);
    if (!isIt || (seqOf(memory, at, lengths) & SEQUENCES) !== missing) return -1;
    if (timeOf(memory, at, lengths) !== 0) return -1;
    putTime(memory, at, lengths, view.getUint32(trailer + TIME_AT));
    this.mended++;
    return lengths;
  }
}

function exclusiveOr(sum: Uint8Array, bytes: Uint8Array, at: number, length: number): void {
  for (let i = 0; i < length; i++) sum[i] = (sum[i] as number) ^ (bytes[at + i] as number); // both are there
}
