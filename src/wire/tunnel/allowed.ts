import type { Cidr } from "../../core/cidr.ts";

const SOURCE4 = 12;
const SOURCE6 = 8;

/** Addresses that packets of a peer may come from. Asked for every packet: nothing is allocated. */
export class Allowed {
  /** Of each network its words, and masks of the same length. */
  readonly #four: Uint32Array;
  readonly #six: Uint32Array;

  constructor(networks: readonly Cidr[]) {
    this.#four = columns(networks.filter(({ base }) => base.version === 4));
    this.#six = columns(networks.filter(({ base }) => base.version === 6));
  }

  /** May the IP packet of `length` bytes at `at` be the peer's? */
  source(view: DataView, at: number, length: number): boolean {
    const version = length > 0 ? view.getUint8(at) >>> 4 : 0;
    if (version === 4 && length >= 20) return matches(this.#four, 1, view, at + SOURCE4);
    if (version === 6 && length >= 40) return matches(this.#six, 4, view, at + SOURCE6);
    return false;
  }
}

function columns(networks: readonly Cidr[]): Uint32Array {
  return Uint32Array.from(
    networks.flatMap(({ base, bits }) => [
      ...base.words,
      ...base.words.map((_, i) => maskOf(bits - 32 * i)),
    ]),
  );
}

function maskOf(bits: number): number {
  if (bits <= 0) return 0;
  return bits >= 32 ? 0xffff_ffff : ~(0xffff_ffff >>> bits) >>> 0;
}

function matches(table: Uint32Array, words: number, view: DataView, at: number): boolean {
  next: for (let i = 0; i < table.length; i += 2 * words) {
    for (let j = 0; j < words; j++) {
      const mask = table[i + words + j] as number; // within the table, as is the next
      if (((view.getUint32(at + 4 * j) ^ (table[i + j] as number)) & mask) !== 0) continue next;
    }
    return true;
  }
  return false;
}
