/** A tally for so many loads, for fewer at first, and whenever some time has passed. */
const TALLY_EACH = 16;

interface Mark {
  readonly at: number;
  readonly bytes: number;
  readonly received: number;
  readonly highest: number;
}

/** What has come of one run of loads. Times are milliseconds. */
export class TrialReceiver {
  readonly run: number;
  received = 0;
  highest = 0;
  /** When the latest was sent, and when it came. */
  time = 0;
  heardAt: number;
  readonly #begun: number;
  readonly #ms: number;
  #untold = 0;
  #bytes = 0;
  /** The run is under way: from here on it is measured. */
  #mark: Mark | undefined;

  constructor(run: number, ms: number, now: number) {
    this.run = run;
    this.#ms = ms;
    this.#begun = this.heardAt = now;
  }

  /** Load `number`, of `length` bytes, sent at `time`. True: it is time for a tally. */
  take(number: number, length: number, time: number, now: number): boolean {
    this.received++;
    this.highest = Math.max(this.highest, number);
    this.time = time;
    this.heardAt = now;
    this.#bytes += length;
    if (this.#mark === undefined && now - this.#begun >= this.#ms / 2) {
      const { received, highest } = this;
      this.#mark = { at: now, bytes: this.#bytes, received, highest };
    }
    return ++this.#untold >= Math.min(TALLY_EACH, this.received / TALLY_EACH);
  }

  /** Has something come that was not told? */
  get untold(): boolean {
    return this.#untold > 0;
  }
  told(): void {
    this.#untold = 0;
  }

  /** Bytes per second, of the second half, or of what there is. */
  get rate(): number {
    const { at, bytes } = this.#since;
    const took = this.heardAt - at;
    return took <= 0 ? 0 : ((this.#bytes - bytes) * 1000) / took;
  }

  /** Part of the loads that did not come, of the second half, or of what there is. */
  get lost(): number {
    const { received, highest } = this.#since;
    const sent = this.highest - highest;
    return sent <= 0 ? 0 : Math.max(0, 1 - (this.received - received) / sent);
  }

  get #since(): Mark {
    return this.#mark ?? { at: this.#begun, bytes: 0, received: 0, highest: 0 };
  }
}
