/** Handshakes that one address may have in a second, and at once (as WireGuard's other programs have it). */
const EACH_SECOND = 20;
const AT_ONCE = 5;
const SECOND_MS = 1000;
const SLOTS = 4096;

/**
 * How many handshakes an address gets in a crowd, once it has shown by a cookie that it is where it says: each costs us
 * a quarter of a millisecond. Always of one size, whoever comes: addresses share slots, by a number that nobody knows.
 */
export class Ration {
  readonly #seed: number;
  readonly #spent = new Float64Array(SLOTS);
  readonly #at = new Float64Array(SLOTS);

  /** `seed`: 32 random bits. */
  constructor(seed: number) {
    this.#seed = seed;
  }

  /** One more for `address`, the bytes of a network or a host, at `now` (ms). False: it has had enough. */
  take(address: Uint8Array, now: number): boolean {
    const slot = this.#slotOf(address);
    const since = now - (this.#at[slot] as number); // below SLOTS
    const left = Math.max(0, (this.#spent[slot] as number) - (since * EACH_SECOND) / SECOND_MS);
    this.#at[slot] = now;
    const enough = left + 1 > AT_ONCE;
    this.#spent[slot] = enough ? left : left + 1;
    return !enough;
  }

  /** The finalizer of MurmurHash3, after each byte. */
  #slotOf(address: Uint8Array): number {
    let hash = this.#seed;
    for (const byte of address) {
      hash = Math.imul(hash ^ byte, 0x85eb_ca6b);
      hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
      hash ^= hash >>> 16;
    }
    return (hash >>> 0) % SLOTS;
  }
}
