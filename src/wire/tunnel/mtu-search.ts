/** An answer that has not come after this is none. Milliseconds. */
const WAIT_MS = 1000;
/** So many in a row are no accident. */
const TRIES = 3;
/** What is used is tried again so often, in case the path has changed; and more than that. */
const CONFIRM_MS = 30_000;
const RAISE_MS = 600_000;
/** Closer than that need not be known. */
const CLOSE = 8;

/**
 * Finds out how long a packet the path carries (RFC 8899), by questions of that length that are
 * answered or not. Begins with the longest, so that on most paths one question is all.
 */
export class MtuSearch {
  /** What is used now. */
  current: number;
  readonly #least: number;
  readonly #most: number;
  /** Known to pass, and the longest that may. */
  #low: number;
  #high: number;
  /** The length asked for; 0: none. */
  #asked = 0;
  #tries = 0;
  #due = -Infinity;
  #raiseAt = Infinity;

  /** `least` passes anywhere, `most` is wanted. */
  constructor(least: number, most: number) {
    this.#least = Math.min(least, most);
    this.#most = most;
    this.#low = this.#least;
    this.#high = most;
    this.current = most;
  }

  /**
   * Length of a question to ask now; 0: none. `answering`: short ones are answered, so that silence
   * says something about the length.
   */
  next(now: number, answering: boolean): number {
    if (now < this.#due) return 0;
    if (this.#asked > 0 && answering && ++this.#tries >= TRIES) this.#failed(now);
    if (this.#asked === 0) {
      this.#tries = 0;
      if (now >= this.#raiseAt) this.#high = this.#most;
      this.#asked = this.#wanted();
    }
    this.#due = now + WAIT_MS;
    return this.#asked;
  }

  /** A question of that length was answered. True: `current` is another now. */
  passed(length: number, now: number): boolean {
    if (length !== this.#asked) return false;
    const before = this.current;
    this.#low = length;
    this.current = Math.max(this.current, length);
    this.#asked = 0;
    this.#rest(now);
    return this.current !== before;
  }

  #failed(now: number): void {
    const length = this.#asked;
    this.#asked = 0;
    if (length === this.current) {
      // What was used does not pass (any more).
      this.#low = this.#least;
      this.current = this.#least;
    }
    this.#high = Math.max(this.#low, length - 1);
    if (this.#raiseAt <= now) this.#raiseAt = now + RAISE_MS;
  }

  #wanted(): number {
    if (this.#isFound) return this.current;
    // The longest first: most paths are all right, or are again.
    if (this.#high === this.#most) return this.#most;
    return Math.ceil((this.#low + this.#high) / 2);
  }

  get #isFound(): boolean {
    return this.#high - this.#low < CLOSE && this.current >= this.#low;
  }

  #rest(now: number): void {
    if (!this.#isFound) {
      this.#due = now;
      return;
    }
    this.#due = now + CONFIRM_MS;
    if (this.#raiseAt === Infinity && this.#high < this.#most) this.#raiseAt = now + RAISE_MS;
    if (this.#low === this.#most) this.#raiseAt = Infinity;
  }
}
