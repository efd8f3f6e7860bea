/** The hash `readFields` makes of a name: 31 * h + (byte | 0x20), 32 bits. */
function hashOf(name: string): number {
  let hash = 0;
  for (let i = 0; i < name.length; i++)
    hash = (Math.imul(hash, 31) + (name.charCodeAt(i) | 0x20)) | 0;
  return hash;
}

const BUCKETS = 64;

/** Field names a reader looks at itself, found by hash while a name is read. Fewer than 32. */
export class FieldTable {
  readonly size: number;
  readonly #names: readonly Uint8Array[];
  readonly #hashes: Int32Array;
  /** Number + 1 by the hash's low bits; linear probing. */
  readonly #places = new Uint8Array(BUCKETS);

  /** `names` in lower case; a field's number is its place among them. */
  constructor(names: readonly string[]) {
    this.size = names.length;
    this.#names = names.map((name) => Uint8Array.from(name, (c) => c.charCodeAt(0)));
    this.#hashes = Int32Array.from(names, hashOf);
    for (const [number, hash] of this.#hashes.entries()) {
      let at = hash & (BUCKETS - 1);
      while (this.#places[at] !== 0) at = (at + 1) & (BUCKETS - 1);
      this.#places[at] = number + 1;
    }
  }

  /** The number of the name in `bytes[from, to)`, any case, or -1. */
  find(bytes: Uint8Array, from: number, to: number, hash: number): number {
    const places = this.#places;
    const hashes = this.#hashes;
    for (let at = hash & (BUCKETS - 1); ; at = (at + 1) & (BUCKETS - 1)) {
      const number = places[at]! - 1;
      if (number < 0) return -1;
      if (hashes[number] !== hash) continue;
      const name = this.#names[number]!;
      if (name.length !== to - from) continue;
      let same = true;
      for (let i = 0; i < name.length && same; i++) {
        const c = bytes[from + i]!;
        same = (c >= 65 && c <= 90 ? c | 0x20 : c) === name[i];
      }
      if (same) return number;
    }
  }
}
