/** Samples kept of every series: five minutes at one a second. */
export const KEPT = 300;

/** The last samples of one figure, good enough to draw, oldest first. NaN where nothing is known. */
export class Series {
  #ring = new Float32Array(KEPT);
  #next = 0;
  #count = 0;

  push(value: number): void {
    this.#ring[this.#next] = value;
    this.#next = (this.#next + 1) % KEPT;
    this.#count = Math.min(this.#count + 1, KEPT);
  }

  values(): Float32Array {
    const start = (this.#next - this.#count + KEPT) % KEPT;
    const out = new Float32Array(this.#count);
    for (let i = 0; i < this.#count; i++) out[i] = this.#ring[(start + i) % KEPT] ?? Number.NaN;
    return out;
  }

  get last(): number {
    return this.#count === 0 ? Number.NaN : (this.#ring[(this.#next + KEPT - 1) % KEPT] ?? 0);
  }
}
