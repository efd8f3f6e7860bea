import { hashName, labelCount, lower, sameName } from "../../wire/dns/name.ts";
import type { Query } from "../../wire/dns/query.ts";
import { TYPE } from "../../wire/dns/types.ts";

/**
 * What a server answers for: values by name, of which the one with the longest name at or above a
 * question is found. A probe for each label that the question has below it, and nothing allocated.
 */
export class Catalog<Value> {
  readonly #seed: number;
  /** In lower case. */
  readonly #names: Uint8Array[] = [];
  readonly #values: Value[] = [];
  /** Most labels that a name in it has: longer ends of a question need not be looked for. */
  #depth = 0;
  /** Open addressing: index + 1, or 0 for free; at most half full. */
  #table = new Uint32Array(16);

  /** `seed` is that of the `Query` objects that will be asked for. */
  constructor(seed: number) {
    this.#seed = seed;
  }

  get size(): number {
    return this.#names.length;
  }
  values(): IterableIterator<Value> {
    return this.#values.values();
  }

  /** Answer for `name` by `value`, in place of what did. */
  set(name: Uint8Array, value: Value): void {
    const hash = hashName(name, this.#seed);
    for (let slot = hash & this.#mask; ; slot = (slot + 1) & this.#mask) {
      const index = (this.#table[slot] as number) - 1;
      if (index < 0) break;
      if (!sameName(this.#names[index] as Uint8Array, name)) continue;
      this.#values[index] = value;
      return;
    }
    this.#names.push(lower(name));
    this.#values.push(value);
    this.#depth = Math.max(this.#depth, labelCount(name));
    if (this.#names.length * 2 > this.#table.length) this.#grow();
    else this.#enter(this.#names.length - 1);
  }

  /** The value of the longest name that is the question's without its first `skip` labels, or above that. */
  find(query: Query, skip = 0): Value | undefined {
    const { key, keyLength, labels, labelStarts, hashes } = query;
    for (let label = Math.max(skip, labels - this.#depth); label <= labels; label++) {
      const from = labelStarts[label] as number;
      for (let slot = (hashes[label] as number) & this.#mask; ; slot = (slot + 1) & this.#mask) {
        const index = (this.#table[slot] as number) - 1;
        if (index < 0) break;
        if (isEnd(key, from, keyLength, this.#names[index] as Uint8Array))
          return this.#values[index];
      }
    }
    return undefined;
  }

  /** As `find`, but for DS the parent's side is asked where both are here (RFC 4035, 3.1.4.1). */
  responsible(query: Query): Value | undefined {
    const parent = query.qtype === TYPE.DS && query.labels > 0 ? this.find(query, 1) : undefined;
    return parent ?? this.find(query);
  }

  get #mask(): number {
    return this.#table.length - 1;
  }

  #grow(): void {
    this.#table = new Uint32Array(this.#table.length * 2);
    for (let index = 0; index < this.#names.length; index++) this.#enter(index);
  }

  #enter(index: number): void {
    let slot = hashName(this.#names[index] as Uint8Array, this.#seed) & this.#mask;
    while (this.#table[slot] !== 0) slot = (slot + 1) & this.#mask;
    this.#table[slot] = index + 1;
  }
}

function isEnd(key: Uint8Array, from: number, to: number, name: Uint8Array): boolean {
  if (to - from !== name.length) return false;
  for (let i = 0; i < name.length; i++) if (key[from + i] !== name[i]) return false;
  return true;
}
