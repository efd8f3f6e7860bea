import type { Query } from "../../wire/dns/query.ts";
import { Tail } from "./tail.ts";

/** Slots of one bucket: a question may be in any of them. */
const WAYS = 4;
/** Bytes of budget for each slot: what a short answer takes. */
const BYTES_PER_SLOT = 128;
/** Fields of an entry in front of its key: see `add`. */
const HEAD = 18;
const GOLDEN = 0x9e3779b1;

/**
 * Answers ready to be copied, by name, type and DO. A ring of bytes in which the oldest is written
 * over, and a table of where each is: nothing is allocated, nothing is freed, and to forget all is
 * one assignment. Only names that are in a zone are worth it; others are without end.
 */
export class Answers {
  readonly #ring: Uint8Array;
  readonly #tags: Uint32Array;
  /** How many bytes had ever been written when the entry was: what tells whether it still stands. */
  readonly #written: Float64Array;
  /** Where in the ring it begins. */
  readonly #at: Uint32Array;
  readonly #shift: number;
  #head = 0;
  /** Entries from before this are of an older zone. */
  #floor = 0;
  readonly #tail = new Tail();

  /** `budget` bytes are taken at once, as far as the system counts untouched memory. */
  constructor(budget: number) {
    this.#ring = new Uint8Array(budget);
    const buckets = Math.max(1, Math.ceil(Math.log2(budget / BYTES_PER_SLOT / WAYS)));
    this.#shift = 32 - buckets;
    this.#tags = new Uint32Array(WAYS * 2 ** buckets);
    this.#written = new Float64Array(WAYS * 2 ** buckets).fill(-1);
    this.#at = new Uint32Array(WAYS * 2 ** buckets);
  }

  /** The tail that answers `query`; undefined when it is not known. Good until the next call. */
  find(query: Query): Tail | undefined {
    const tag = tagOf(query);
    const bucket = (tag >>> this.#shift) * WAYS;
    for (let slot = bucket; slot < bucket + WAYS; slot++) {
      if (this.#tags[slot] !== tag) continue;
      if (!this.#stands(this.#written[slot] as number)) continue;
      const at = this.#at[slot] as number;
      if (this.#isFor(at, query)) return this.#read(at);
    }
    return undefined;
  }

  /** Keep the tail that answers `query`. One that is larger than all there is room for is not kept. */
  add(query: Query, tail: Tail): void {
    const { keyLength } = query;
    const size = HEAD + keyLength + tail.length;
    const ring = this.#ring;
    if (size > ring.length || tail.requiredLength > tail.length) return;
    const left = ring.length - (this.#head % ring.length);
    if (size > left) this.#head += left; // entries do not go around the end
    const at = this.#head % ring.length;
    put16(ring, at, query.qtype);
    ring[at + 2] = flagsOf(query);
    ring[at + 3] = keyLength;
    ring[at + 4] = tail.rcode;
    ring[at + 5] = tail.authoritative ? 1 : 0;
    put16(ring, at + 6, tail.answers);
    put16(ring, at + 8, tail.authorities);
    put16(ring, at + 10, tail.additionals);
    put16(ring, at + 12, tail.length);
    put16(ring, at + 14, tail.requiredLength);
    put16(ring, at + 16, tail.requiredAdditionals);
    for (let i = 0; i < keyLength; i++) ring[at + HEAD + i] = query.key[i] as number;
    tail.copy(ring, at + HEAD + keyLength, tail.length);

    const slot = this.#slotFor(tagOf(query));
    this.#tags[slot] = tagOf(query);
    this.#written[slot] = this.#head;
    this.#at[slot] = at;
    this.#head += size;
  }

  /** Forget everything: a zone has changed. */
  clear(): void {
    this.#floor = this.#head;
  }

  #stands(written: number): boolean {
    return written >= this.#floor && written >= this.#head - this.#ring.length;
  }

  /** The slot that has this tag, or one that has nothing, or the oldest of the bucket. */
  #slotFor(tag: number): number {
    const bucket = (tag >>> this.#shift) * WAYS;
    let oldest = bucket;
    for (let slot = bucket; slot < bucket + WAYS; slot++) {
      if (this.#tags[slot] === tag) return slot;
      if ((this.#written[slot] as number) < (this.#written[oldest] as number)) oldest = slot;
    }
    return oldest;
  }

  #isFor(at: number, query: Query): boolean {
    const ring = this.#ring;
    const { key, keyLength } = query;
    if (get16(ring, at) !== query.qtype || ring[at + 2] !== flagsOf(query)) return false;
    if (ring[at + 3] !== keyLength) return false;
    for (let i = 0; i < keyLength; i++) if (ring[at + HEAD + i] !== key[i]) return false;
    return true;
  }

  #read(at: number): Tail {
    const ring = this.#ring;
    const tail = this.#tail;
    tail.bytes = ring;
    tail.from = at + HEAD + (ring[at + 3] as number);
    tail.rcode = ring[at + 4] as number;
    tail.authoritative = ring[at + 5] === 1;
    tail.answers = get16(ring, at + 6);
    tail.authorities = get16(ring, at + 8);
    tail.additionals = get16(ring, at + 10);
    tail.length = get16(ring, at + 12);
    tail.requiredLength = get16(ring, at + 14);
    tail.requiredAdditionals = get16(ring, at + 16);
    return tail;
  }
}

/** What besides name and type tells answers apart. */
function flagsOf(query: Query): number {
  return (query.edns.do ? 1 : 0) | (query.edns.compact ? 2 : 0);
}

function tagOf(query: Query): number {
  return Math.imul(query.hash ^ ((query.qtype << 2) | flagsOf(query)), GOLDEN) >>> 0;
}

function get16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
}

function put16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8;
  bytes[at + 1] = value;
}
