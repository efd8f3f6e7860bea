/** The arithmetic of 3fsd: digits of the key's MD5, one group of them for each copy. */
import { copiesOf, type Order, type Placement, type StageRecord } from "./stage.ts";

/** Hex digits of an MD5. */
const DIGITS = 32;

/** Hex digits for each copy: as few as can count `region` partitions. */
export function digitsFor(region: number): number {
  let digits = 1;
  while (16 ** digits < region) digits++;
  return digits;
}

/** Copies for which a digest has digits. */
export function mostCopies(region: number): number {
  return Math.floor(DIGITS / digitsFor(region));
}

/**
 * As the white paper has it: partition p of `region` belongs to server floor(p * n / region); a
 * server that holds a copy already passes it on to the next one.
 */
export function md5Paper(stage: StageRecord): Placement {
  const servers = stage.slots.length;
  return byDigits(stage, (partition) => Math.floor((partition * servers) / stage.region));
}

/**
 * As the shipped code had it, on Python 2: divided by the whole number region // n. Partitions
 * beyond the last server, which it could not locate, are the last server's: nothing old is there.
 */
export function md5Code(stage: StageRecord): Placement {
  const servers = stage.slots.length;
  const each = Math.max(1, Math.floor(stage.region / servers));
  return byDigits(stage, (partition) => Math.min(Math.floor(partition / each), servers - 1));
}

/** Servers count in the order of their ids as bytes, so that the order they are written in says nothing. */
function byDigits(stage: StageRecord, serverOf: (partition: number) => number): Placement {
  const sorted = stage.slots
    .map(({ id }, index) => ({ id: Buffer.from(id), index }))
    .toSorted((a, b) => Buffer.compare(a.id, b.id))
    .map(({ index }) => index);
  const servers = sorted.length;
  const copies = copiesOf(stage);
  const digits = digitsFor(stage.region);

  const digest = new Uint8Array(DIGITS / 2);

  return (key): Order => {
    Bun.MD5.hash(key, digest);
    const order: number[] = [];
    const taken = new Uint8Array(servers);
    let last = 0;
    const take = (): void => {
      while (taken[last] === 1) last = (last + 1) % servers;
      taken[last] = 1;
      order.push(sorted[last] ?? 0);
    };
    for (let copy = 0; copy < copies; copy++) {
      last = serverOf(group(digest, copy * digits, digits));
      take();
    }
    // Who comes next is who the rule would have passed the last copy on to.
    while (order.length < servers) take();
    return order;
  };
}

/** So many hex digits of a digest, from digit `from` on. */
function group(digest: Uint8Array, from: number, digits: number): number {
  let value = 0;
  for (let at = from; at < from + digits; at++) {
    const byte = digest[at >> 1] ?? 0;
    value = value * 16 + (at % 2 === 0 ? byte >> 4 : byte & 15);
  }
  return value;
}
