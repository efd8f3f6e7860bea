import { closeSync, ftruncateSync, openSync } from "node:fs";

/** Counts; names share them. */
const COUNTS = 4096;

/**
 * How often names have been changed, in memory that all processes of this machine share: what was
 * read at one count is the newest for as long as the count stays. A file, so that it outlives
 * whoever dies; what is in it means nothing to anybody who begins.
 */
export class Changes {
  readonly #counts: Int32Array;

  /** Makes the file at `path`. */
  constructor(path: string) {
    const fd = openSync(path, "a", 0o600);
    try {
      ftruncateSync(fd, COUNTS * Int32Array.BYTES_PER_ELEMENT);
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
