/** Datagrams that may come later than the latest, and still be taken. */
const SIZE = 8192;
/** One word is always being cleared for what comes next. */
const WORDS = SIZE / 32 + 1;
/** The counters of WireGuard end before 2^64; ours where numbers are no longer exact. */
const LIMIT = Number.MAX_SAFE_INTEGER;

/** Each counter once, and none that is older than 8192 others (RFC 6479). */
export class ReplayWindow {
  /** Bit `counter % 32` of word `counter / 32`: it was seen. */
  readonly #words = new Uint32Array(WORDS);
  #latest = -1;

  /** Could it be taken? Ask before opening, so that a replay costs nothing. */
  isFresh(counter: number): boolean {
    if (counter > this.#latest) return counter <= LIMIT;
    if (this.#latest - counter >= SIZE) return false;
    const word = this.#words[Math.floor(counter / 32) % WORDS] as number; // within the ring
    return ((word >>> (counter % 32)) & 1) === 0;
  }

  /** Take it, once it is known to be authentic. False: it was there before, or is too old. */
  accept(counter: number): boolean {
    if (!this.isFresh(counter)) return false;
    const words = this.#words;
    const word = Math.floor(counter / 32);
    if (counter > this.#latest) {
      const last = Math.floor(this.#latest / 32); // -1 at first
      const skipped = Math.min(word - last, WORDS);
      for (let i = 0; i < skipped; i++) words[(word - i) % WORDS] = 0;
      this.#latest = counter;
    }
    const at = word % WORDS;
    words[at] = (words[at] as number) | (1 << (counter % 32)); // within the ring
    return true;
  }
}
