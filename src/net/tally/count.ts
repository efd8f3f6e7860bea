import type { Row } from "./row.ts";

/** How many of something there are, at all workers of this machine. */
export class Count {
  readonly #row: Row;
  readonly #doubt: () => void;
  readonly #close: () => void;
  #here = 0;

  /** `doubt`: there seem to be too many; are all alive who counted them? */
  constructor(row: Row, doubt: () => void, close: () => void) {
    this.#row = row;
    this.#doubt = doubt;
    this.#close = close;
  }

  get here(): number {
    return this.#here;
  }
  get elsewhere(): number {
    return this.#row.sum() - this.#here;
  }

  /**
   * One more, if there are then no more than `most` and `spare` are left. Exact: of two processes
   * that want the last at once one gets it, or neither does and both try again.
   */
  take(most: number, spare = 0): boolean {
    this.add();
    if (this.#row.sum() + spare <= this.#ours(most)) return true;
    this.leave();
    this.#doubt();
    return false;
  }

  /** Whether there are `most` already, or all but `spare`. */
  full(most: number, spare = 0): boolean {
    if (this.#row.sum() + spare < this.#ours(most)) return false;
    this.#doubt();
    return true;
  }

  /** One more, whatever there are. */
  add(): void {
    this.#here++;
    this.#row.add(1);
  }

  /** One less. */
  leave(): void {
    this.#here--;
    this.#row.add(-1);
  }

  /** Whoever has taken it is done with it; the last takes along what is counted here. */
  close(): void {
    this.#close();
  }

  /** A process without any part would serve nobody. */
  #ours(most: number): number {
    const { apart } = this.#row;
    return apart === 1 || most === 0 ? most : Math.max(1, Math.floor(most / apart));
  }
}
