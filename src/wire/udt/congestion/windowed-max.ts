/**
 * The largest of the values of late, in constant room: the best, the best since it, and the best since that (Kathleen
 * Nichols' algorithm, as in Linux's win_minmax).
 */
export class WindowedMax {
  readonly #value = new Float64Array(3);
  readonly #at = new Float64Array(3).fill(-Infinity);

  get best(): number {
    return this.#value[0]!;
  }

  /** `value` was measured at `at`; what is older than `window` counts no more. */
  add(value: number, at: number, window: number): void {
    if (value >= this.#value[0]! || at - this.#at[2]! > window) {
      this.#value.fill(value);
      this.#at.fill(at);
      return;
    }
    if (value >= this.#value[1]!) this.#set(1, value, at);
    else if (value >= this.#value[2]!) this.#set(2, value, at);
    const age = at - this.#at[0]!;
    if (age > window) {
      this.#value.copyWithin(0, 1);
      this.#at.copyWithin(0, 1);
      this.#set(2, value, at);
      if (at - this.#at[0]! > window) {
        this.#value.copyWithin(0, 1);
        this.#at.copyWithin(0, 1);
        this.#set(2, value, at);
      }
    } else if (this.#at[1] === this.#at[0] && age > window / 4) this.#set(1, value, at);
    else if (this.#at[2] === this.#at[1] && age > window / 2) this.#set(2, value, at);
  }

  #set(from: number, value: number, at: number): void {
    this.#value.fill(value, from);
    this.#at.fill(at, from);
  }
}
