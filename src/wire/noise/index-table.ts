import type { Keypair } from "./keypair.ts";

/** Whom an index is for: a handshake under way, or a key. */
export interface Receiver<K, S> {
  readonly session: S;
  /** Undefined until the handshake is done. */
  readonly keypair: Keypair<K> | undefined;
}

/** The indices that others write into what they send to one socket of ours. */
export class IndexTable<K, S> {
  readonly #receivers = new Map<number, Receiver<K, S>>();
  readonly #dice: (bytes: number) => Uint8Array;

  constructor(dice: (bytes: number) => Uint8Array) {
    this.#dice = dice;
  }

  /** Whom a datagram is for. Undefined: drop it. */
  find(index: number): Receiver<K, S> | undefined {
    return this.#receivers.get(index);
  }

  /** An index that nobody has, and hardly anybody guesses. */
  take(session: S): number {
    for (;;) {
      const bytes = this.#dice(4);
      const index = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
      if (this.#receivers.has(index)) continue;
      this.#receivers.set(index, { session, keypair: undefined });
      return index;
    }
  }

  /** What comes for this index is for a key now. */
  assign(session: S, keypair: Keypair<K>): void {
    this.#receivers.set(keypair.localIndex, { session, keypair });
  }

  drop(index: number): void {
    this.#receivers.delete(index);
  }

  /** How many are in use. */
  get size(): number {
    return this.#receivers.size;
  }
}
