import { hashPair, mix } from "./hash.ts";
import { Rendezvous } from "./rendezvous.ts";
import { NONE, type Scheduler, type Slate } from "./slate.ts";

/** Primes, each about ten times the one before. */
const SIZES = [65_537, 655_373, 6_553_621] as const;
/** A table is this many times as long as there are servers: shares are off by 1% at most. */
const ROOM = 100;

/** Length of the table for so many servers. */
export function tableSize(servers: number): number {
  return SIZES.find((size) => size >= servers * ROOM) ?? SIZES[2];
}

/**
 * A client is the server's that its hash finds in a table (Eisenbud et al., "Maglev", NSDI 2016):
 * one look however many servers there are, shares as even as weights allow, and few clients move
 * when a server comes or goes. The same servers give the same table in every process.
 */
export class Maglev implements Scheduler {
  #table: Uint16Array | undefined;
  readonly #otherwise = new Rendezvous();

  reset(): void {
    this.#table = undefined; // made when it is needed: several changes often come together
  }

  choose(slate: Slate, hash: number): number {
    if (slate.count === 0) return NONE;
    const table = (this.#table ??= fill(slate));
    const found = table[mix(hash) % table.length] as number;
    // Whose server cannot be had now goes where rendezvous sends it: clients of one do not all
    // end up at the same other.
    return slate.blocked[found] === 0 ? found : this.#otherwise.choose(slate, hash);
  }
}

/** Each server in turn takes the next free place of its own order, the heavy ones more often. */
function fill({ candidates, count, shares, keys }: Slate): Uint16Array {
  const size = tableSize(count);
  const table = new Uint16Array(size);
  const taken = new Uint8Array(size);
  // By key: the table must not depend on the order in which servers are listed.
  const order = candidates.slice(0, count).sort((a, b) => (keys[a] ?? 0) - (keys[b] ?? 0));
  const place = new Float64Array(count);
  const skip = new Float64Array(count);
  let heaviest = 0;
  for (let i = 0; i < count; i++) {
    const one = order[i] as number;
    place[i] = hashPair(keys[one] as number, 1) % size;
    skip[i] = (hashPair(keys[one] as number, 2) % (size - 1)) + 1;
    heaviest = Math.max(heaviest, shares[one] as number);
  }
  const credit = new Float64Array(count);
  let filled = 0;
  while (filled < size)
    for (let i = 0; i < count && filled < size; i++) {
      const one = order[i] as number;
      credit[i] = (credit[i] as number) + (shares[one] as number) / heaviest;
      if ((credit[i] as number) < 1) continue;
      credit[i] = (credit[i] as number) - 1;
      let at = place[i] as number;
      while (taken[at] !== 0) at = (at + (skip[i] as number)) % size;
      taken[at] = 1;
      table[at] = one;
      place[i] = (at + (skip[i] as number)) % size;
      filled++;
    }
  return table;
}
