/** A whole number of these is what most heads fit in. */
const FIRST = 1024;

/** Bytes a session has been sent and does not understand yet; nothing is held while there are none. */
export class Inbox {
  #bytes: Uint8Array | undefined;
  length = 0;

  /** The bytes are `[0, length)` of it. */
  get bytes(): Uint8Array | undefined {
    return this.#bytes;
  }

  /** Copy `bytes[from, to)` behind what is here. */
  add(bytes: Uint8Array, from: number, to: number): void {
    const need = this.length + to - from;
    if (this.#bytes === undefined || this.#bytes.length < need) {
      const bigger = new Uint8Array(Math.max(need, FIRST, (this.#bytes?.length ?? 0) * 2));
      if (this.#bytes) bigger.set(this.#bytes.subarray(0, this.length));
      this.#bytes = bigger;
    }
    this.#bytes.set(bytes.subarray(from, to), this.length);
    this.length = need;
  }

  /** The first `count` are understood. */
  take(count: number): void {
    this.length -= count;
    if (this.length === 0) this.#bytes = undefined;
    else if (count > 0) this.#bytes?.copyWithin(0, count, count + this.length);
  }

  clear(): void {
    this.length = 0;
    this.#bytes = undefined;
  }
}
