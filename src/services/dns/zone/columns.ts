/** Room that a column begins with, in elements. */
const FIRST = 1024;

/** Numbers added one after the other, in a typed array that grows until it is trimmed. */
export class Words {
  array = new Uint32Array(FIRST);
  length = 0;

  push(value: number): void {
    if (this.length === this.array.length) {
      const grown = new Uint32Array(grownSize(this.length));
      grown.set(this.array);
      this.array = grown;
    }
    this.array[this.length++] = value;
  }

  /** Nothing more will come. */
  trim(): void {
    this.array = this.array.slice(0, this.length);
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
      const grown = new Uint8Array(Math.max(at + count, grownSize(this.array.length)));
      grown.set(this.array);
      this.array = grown;
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
    this.array = this.array.slice(0, this.length);
  }
}

/** By half: what is grown out of is garbage at once, and a zone may have a million of everything. */
function grownSize(length: number): number {
  return length + (length >>> 1);
}
