import { hashText } from "../../core/schedulers/hash.ts";

export interface Share {
  readonly pool: string;
  readonly weight: number;
}

/** Which pool a client belongs to: always the same one, while the shares stay. */
export class Split {
  readonly #shares: readonly Share[];
  readonly #total: number;

  constructor(shares: readonly Share[]) {
    this.#shares = shares;
    this.#total = shares.reduce((sum, { weight }) => sum + weight, 0);
  }

  /** The first pool when all shares are 0. */
  poolFor(client: string): string {
    let at = this.#total === 0 ? 0 : hashText(`split ${client}`) % this.#total;
    for (const { pool, weight } of this.#shares) {
      if (at < weight) return pool;
      at -= weight;
    }
    return this.#shares[0]?.pool ?? "";
  }
}
