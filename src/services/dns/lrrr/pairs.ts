/** What is known of resolvers in one network; undefined: nothing. Milliseconds. */
export interface Pair {
  own: number | undefined;
  other: number | undefined;
  /** Monotonic; counted from the first that was known, so that an old half is not kept by a new one. */
  readonly until: number;
}

/** About 150 bytes each. */
const MOST = 65_536;
/** Resolvers of one network are one place, and farms answer legs from several of their addresses. */
const NETWORK_BITS = { 4: 24, 16: 56 } as const;

/** Measured RTTs by the resolver's network; the oldest go when there are too many. */
export class Pairs {
  readonly #ttl: number;
  readonly #pairs = new Map<string, Pair>();

  /** `ttl` in ms. */
  constructor(ttl: number) {
    this.#ttl = ttl;
  }

  get size(): number {
    return this.#pairs.size;
  }

  get(network: Uint8Array, now: number): Pair | undefined {
    const pair = this.#pairs.get(keyOf(network));
    return pair !== undefined && now < pair.until ? pair : undefined;
  }

  learn(network: Uint8Array, what: { own?: number; other?: number }, now: number): void {
    if (what.own === undefined && what.other === undefined) return;
    const key = keyOf(network);
    let pair = this.get(network, now);
    if (pair === undefined) {
      pair = { own: undefined, other: undefined, until: now + this.#ttl };
      this.#pairs.delete(key);
      this.#pairs.set(key, pair);
      if (this.#pairs.size > MOST) this.#pairs.delete(this.#pairs.keys().next().value as string);
    }
    pair.own = what.own ?? pair.own;
    pair.other = what.other ?? pair.other;
  }
}

/** The network of a resolver: its address with the bits of the host cleared. */
export function networkOf(client: Uint8Array): Uint8Array {
  const length = client.length === 4 ? 4 : 16;
  return client.slice(0, NETWORK_BITS[length] / 8);
}

function keyOf(network: Uint8Array): string {
  return network.toHex();
}
