import type { Congestion } from "./congestion.ts";

const SECOND = 1_000_000;

/** A constant rate that nothing changes, as 3wdd had it: for a link that is ours alone. */
export class FixedRate implements Congestion {
  readonly name = "fixed";
  readonly period: number;
  readonly window: number;
  readonly spans = false;

  /** `rate` in bits per second, of whole IP packets of `mss` bytes; `window` in packets. */
  constructor(rate: number, mss: number, window: number = Infinity) {
    this.period = (SECOND * mss * 8) / rate;
    this.window = window;
  }

  onStart(): void {}
  onAck(): void {}
  onLoss(): void {}
  onTimeout(): void {}
}
