import { hashName } from "../../../wire/dns/name.ts";

/** Names and what belongs to them, found by the hash and the bytes that a `Query` has ready. */
export class NameTable<T> {
  readonly #chains = new Map<number, { readonly name: Uint8Array; readonly value: T }[]>();
  readonly #seed: number;

  /** `seed` is that of the queries. */
  constructor(seed: number) {
    this.#seed = seed;
  }

  /** `name` in lower case. A name is kept once: the first stays. False when it was there. */
  add(name: Uint8Array, value: T): boolean {
    const hash = hashName(name, this.#seed);
    if (this.find(name, 0, name.length, hash) !== undefined) return false;
    const key = hash | 0; // small integers are quicker keys
    const chain = this.#chains.get(key) ?? [];
    chain.push({ name, value });
    this.#chains.set(key, chain);
    return true;
  }

  /** What belongs to the name between `from` and `to` of `bytes`, which is in lower case. */
  find(bytes: Uint8Array, from: number, to: number, hash: number): T | undefined {
    const chain = this.#chains.get(hash | 0);
    if (chain === undefined) return undefined;
    for (let i = 0; i < chain.length; i++) {
      const one = chain[i] as { readonly name: Uint8Array; readonly value: T };
      if (one.name.length !== to - from) continue;
      let at = 0;
      while (from + at < to && one.name[at] === bytes[from + at]) at++;
      if (from + at === to) return one.value;
    }
    return undefined;
  }
}
