/** A key that can be wiped, and is then of no use: zeros would be a key as well. */
export class SecretKey {
  #bytes: Uint8Array | undefined;

  /** A copy is kept. */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes.slice();
  }

  get bytes(): Uint8Array {
    if (this.#bytes === undefined) throw new Error("the key is gone");
    return this.#bytes;
  }

  free(): void {
    this.#bytes?.fill(0);
    this.#bytes = undefined;
  }
}
