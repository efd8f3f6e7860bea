/** Slots of the table: 512 KB. */
const SIZE = 65_536;
/** How long a client is believed. Milliseconds. */
const BELIEVED_MS = 3_600_000;

/**
 * Addresses that have shown who they are: they completed a handshake here not long ago. A table of
 * fixed size in which a newcomer takes the place of whoever had it: forgetting costs a client one
 * more question by TCP.
 */
export class VerifiedClients {
  readonly #tags = new Uint32Array(SIZE);
  readonly #until = new Float64Array(SIZE);
  readonly #seed: number;

  /** `seed`: nobody outside knows it. */
  constructor(seed: number) {
    this.#seed = seed;
  }

  add(client: Uint8Array, now: number): void {
    const tag = this.#hash(client);
    this.#tags[tag % SIZE] = tag;
    this.#until[tag % SIZE] = now + BELIEVED_MS;
  }

  has(client: Uint8Array, now: number): boolean {
    const tag = this.#hash(client);
    return this.#tags[tag % SIZE] === tag && (this.#until[tag % SIZE] as number) > now;
  }

  #hash(client: Uint8Array): number {
    let hash = this.#seed ^ client.length;
    // By index: an iterator would cost more than the hash.
    for (let i = 0; i < client.length; i++)
      hash = Math.imul(hash ^ (client[i] as number), 0x01000193);
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    return (hash ^ (hash >>> 16)) >>> 0;
  }
}
