import { closeSync, fstatSync, openSync, writeSync } from "node:fs";

/** Counts; names share them. */
const COUNTS = 4096;
const BYTES = COUNTS * Int32Array.BYTES_PER_ELEMENT;

/**
 * How often names have been changed, in memory that all processes of this machine share: what was
 * read at one count is the newest for as long as the count stays. A file, so that it outlives
 * whoever dies; what is in it means nothing to anybody who begins.
 */
export class Changes {
  readonly #counts: Int32Array;

  /** Makes the file at `path`, with all of its bytes: a hole on a full disk would be the end of whoever counts. */
  constructor(path: string) {
    const fd = openSync(path, "a", 0o600);
    try {
      // Behind its end: two that make it at once lose no count.
      if (fstatSync(fd).size < BYTES) writeSync(fd, new Uint8Array(BYTES));
    } finally {
      closeSync(fd);
    }
    const { buffer, byteOffset } = Bun.mmap(path, { shared: true });
    this.#counts = new Int32Array(buffer, byteOffset, COUNTS);
  }

  /** Where the count of `key` is. */
  placeOf(key: string): number {
    return Bun.hash.xxHash32(key, 0) % COUNTS;
  }

  at(place: number): number {
    return Atomics.load(this.#counts, place);
  }

  /** Names of this place are being changed, or have been. */
  count(place: number): void {
    Atomics.add(this.#counts, place, 1);
  }
}
