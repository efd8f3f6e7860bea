/** What libudt starts from, µs. */
const FIRST_RTT = 100_000;
const FIRST_VARIANCE = 50_000;
/** Clocks are no better. */
const LEAST_VARIANCE = 1;
/** No round trip is longer: an honest clock says no such thing. */
const LONGEST = 60_000_000;

/** The round trip of a connection, smoothed as both ends of UDT do it (draft-gg-udt-03 §3). µs. */
export class Rtt {
  smooth = FIRST_RTT;
  variance = FIRST_VARIANCE;
  /** The shortest ever measured; Infinity: none was. */
  least = Infinity;

  /** A round trip was measured. */
  take(sample: number): void {
    if (!(sample > 0) || sample > LONGEST) return;
    if (this.least === Infinity) {
      this.smooth = sample;
      this.variance = sample / 2;
    } else {
      const off = Math.abs(sample - this.smooth) - this.variance;
      this.variance = Math.max(LEAST_VARIANCE, this.variance + off / 4);
      this.smooth += (sample - this.smooth) / 8;
    }
    if (sample < this.least) this.least = sample;
  }

  /** Long enough for an answer to be here if it ever comes. */
  get patience(): number {
    return this.smooth + 4 * this.variance;
  }
}
