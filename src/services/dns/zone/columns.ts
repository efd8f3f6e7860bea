/** Room that a column begins with, in elements. */
const FIRST = 1024;

/** Numbers added one after the other, in a typed array that grows until it is trimmed. */
export class Words {
  array = new Uint32Array(FIRST);
  length = 0;

  push(value: number): void {
    if (this.length === this.array.length) {
      this.#resize(grownSize(this.length));
    }
    this.array[this.length++] = value;
  }

  /** Nothing more will come. */
  trim(): void {
    this.#resize(this.length);
  }

  #resize(length: number): void {
    this.array = new Uint32Array(this.array.buffer.transfer(length * 4));
  }
}

/** Bytes added one after the other; as `Words`. */
export class Bytes {
  array = new Uint8Array(FIRST);
  length = 0;

  /** Where `count` more bytes may be written; they count as added. */
  reserve(count: number): number {
    const at = this.length;
    if (at + count > this.array.length) {
      this.#resize(Math.max(at + count, grownSize(this.array.length)));
    }
    this.length = at + count;
    return at;
  }

  push(value: number): void {
    const at = this.reserve(1);
    this.array[at] = value;
  }

  /** Nothing more will come. */
  trim(): void {
    this.#resize(this.length);
  }

  #resize(length: number): void {
    this.array = new Uint8Array(this.array.buffer.transfer(length));
  }
}

/**
 * By half. The bytes are handed over (`transfer`), so that what a column has outgrown is not
 * garbage that waits for its collection: a zone may have a million of everything.
 */
function grownSize(length: number): number {
  return length + (length >>> 1);
}
