import type { Order } from "./config.ts";
import { ReadyRecords } from "./ready-records.ts";
import type { RecordSet } from "./tiers.ts";

/** Chooses and orders records of one set; made anew when the set changes. */
export interface Chooser {
  readonly set: RecordSet;
  /** Its records as they stand in answers; undefined: they are to be written one by one. */
  readonly ready: ReadyRecords | undefined;
  /**
   * Put the indexes of the records to give into `into`, in order; how many. `client` is a hash of
   * who asks, the same for the same.
   */
  choose(into: Uint16Array, client: number): number;
}

/** Where a rotation stands; it outlives the choosers that turn it. */
export interface Turn {
  next: number;
}

/** `wanted` records of `set` per answer; `dice` are from 0 up to 1. */
export function chooser(
  order: Order,
  set: RecordSet,
  wanted: number,
  turn: Turn,
  dice: () => number,
): Chooser {
  const ready = ReadyRecords.of(set);
  const size = set.members.length;
  const give = Math.min(wanted, size);
  switch (order) {
    case "fixed":
      return {
        set,
        ready,
        choose(into) {
          for (let i = 0; i < give; i++) into[i] = i;
          return give;
        },
      };
    case "roundrobin":
      return {
        set,
        ready,
        choose(into) {
          let at = turn.next % size;
          turn.next = at + 1;
          for (let i = 0; i < give; i++) {
            into[i] = at;
            at = at + 1 === size ? 0 : at + 1;
          }
          return give;
        },
      };
    case "random":
      return {
        set,
        ready,
        choose(into) {
          for (let i = 0; i < size; i++) into[i] = i;
          for (let i = 0; i < give; i++) swap(into, i, i + Math.floor(dice() * (size - i)));
          return give;
        },
      };
    case "weighted":
      return { set, ready, choose: byWeight(set, give, dice) };
    case "hash":
      return { set, ready, choose: byHash(set, give) };
  }
}

/** One after another, each with the chance of its weight among those that are left. */
function byWeight(set: RecordSet, give: number, dice: () => number): Chooser["choose"] {
  const weights = Float64Array.from(set.members, weightOf);
  const all = weights.reduce((a, b) => a + b, 0);
  return (into) => {
    const size = weights.length;
    for (let i = 0; i < size; i++) into[i] = i;
    let left = all;
    for (let i = 0; i < give; i++) {
      let mark = dice() * left;
      let at = i;
      for (; at < size - 1; at++) {
        mark -= weights[into[at] as number] as number;
        if (mark < 0) break;
      }
      left -= weights[into[at] as number] as number;
      swap(into, i, at);
    }
    return give;
  };
}

/**
 * Rendezvous hashing with weights (Schindelhauer and Schomaker, 2005): a client keeps its record
 * while that is alive, and only the clients of a record that dies move.
 */
function byHash(set: RecordSet, give: number): Chooser["choose"] {
  const seeds = Uint32Array.from(set.members, ({ config }) => hashBytes(config.rdata, 0));
  const weights = Float64Array.from(set.members, weightOf);
  const scores = new Float64Array(seeds.length);
  return (into, client) => {
    const size = seeds.length;
    for (let i = 0; i < size; i++) {
      into[i] = i;
      const even = (mix(client ^ (seeds[i] as number)) + 1) / (2 ** 32 + 1); // never 0, never 1
      scores[i] = -(weights[i] as number) / Math.log(even);
    }
    for (let i = 0; i < give; i++) {
      let best = i;
      for (let at = i + 1; at < size; at++)
        if ((scores[into[at] as number] as number) > (scores[into[best] as number] as number))
          best = at;
      swap(into, i, best);
    }
    return give;
  };
}

/** When only drained ones are left, they share alike. */
function weightOf({ config }: { config: { weight: number } }): number {
  return config.weight === 0 ? 1 : config.weight;
}

function swap(array: Uint16Array, i: number, j: number): void {
  const one = array[i] as number;
  array[i] = array[j] as number;
  array[j] = one;
}

/** A 32-bit hash of `bits` bits of an address, or of all of it. */
export function hashBytes(
  bytes: Uint8Array,
  seed: number,
  bits: number = bytes.length * 8,
): number {
  let state = 0x811c9dc5 ^ seed; // FNV-1a, then mixed
  let left = bits;
  for (let i = 0; left > 0; i++, left -= 8) {
    const byte = bytes[i] as number;
    state = Math.imul(state ^ (left >= 8 ? byte : byte & (0xff00 >>> left)), 0x01000193);
  }
  return mix(state);
}

/** The finalizer of MurmurHash3: every bit of the result depends on every bit given. */
function mix(hash: number): number {
  let h = hash;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
