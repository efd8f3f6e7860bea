import { ahead } from "../sequence.ts";
import type { Congestion, Flow } from "./congestion.ts";

/** The rate changes once in so many µs (SYN). */
const INTERVAL = 10_000;
const SECOND = 1_000_000;
const FIRST_WINDOW = 16;
/** A loss makes the period longer by an eighth. */
const DECREASE = 1.125;
/** Further decreases for the same flight. */
const DECREASES = 5;
const LEAST_INCREASE = 0.01;
const BETA = 1.5e-6;

/** UDT's own: additive increase by what is left of the link, multiplicative decrease (draft-gg-udt-03 §6, CUDTCC). */
export class Aimd implements Congestion {
  readonly name = "udt";
  readonly spans = true;
  period = 1;
  window = FIRST_WINDOW;
  #slowStart = true;
  #changedAt = -Infinity;
  #delivered = 0;
  #loss = false;
  #decreaseSeq = -1;
  #decreasePeriod = 1;
  #decreases = 0;
  #reports = 0;
  #meanReports = 0;
  #every = 1;
  /** Dice that fall the same way each time: xorshift32. */
  #dice: number;

  /** `seed` is not 0. */
  constructor(seed: number = 1) {
    this.#dice = seed | 0 || 1;
  }

  onStart(): void {}

  onAck(flow: Flow): void {
    if (flow.now - this.#changedAt < INTERVAL) return;
    this.#changedAt = flow.now;
    if (this.#slowStart) {
      this.window += flow.delivered - this.#delivered;
      this.#delivered = flow.delivered;
      if (this.window > flow.peerWindow) this.#leaveSlowStart(flow);
      return;
    }
    this.window = (flow.receiveRate / SECOND) * (flow.rtt + INTERVAL) + FIRST_WINDOW;
    if (this.#loss) this.#loss = false;
    else this.period = (this.period * INTERVAL) / (this.period * this.#increase(flow) + INTERVAL);
  }

  onLoss(flow: Flow, first: number): void {
    if (this.#slowStart) {
      this.#leaveSlowStart(flow);
      if (flow.receiveRate > 0) return;
    }
    this.#loss = true;
    if (this.#decreaseSeq < 0 || ahead(first, this.#decreaseSeq) > 0) {
      this.#decreasePeriod = this.period;
      this.period = Math.ceil(this.period * DECREASE);
      this.#meanReports = Math.ceil(this.#meanReports * 0.875 + this.#reports * 0.125);
      this.#reports = 1;
      this.#decreases = 1;
      this.#decreaseSeq = flow.newest;
      this.#every = Math.max(1, Math.ceil(this.#meanReports * this.#roll()));
    } else if (this.#decreases++ < DECREASES && ++this.#reports % this.#every === 0) {
      this.period = Math.ceil(this.period * DECREASE);
      this.#decreaseSeq = flow.newest;
    }
  }

  onTimeout(flow: Flow): void {
    if (this.#slowStart) this.#leaveSlowStart(flow);
  }

  #leaveSlowStart(flow: Flow): void {
    this.#slowStart = false;
    this.period =
      flow.receiveRate > 0 ? SECOND / flow.receiveRate : (flow.rtt + INTERVAL) / this.window;
  }

  /** Packets per interval to be added. */
  #increase(flow: Flow): number {
    let spare = flow.linkCapacity - SECOND / this.period;
    if (this.period > this.#decreasePeriod) spare = Math.min(spare, flow.linkCapacity / 9);
    if (spare <= 0) return LEAST_INCREASE;
    const scale = 10 ** Math.ceil(Math.log10(spare * flow.packetSize * 8));
    return Math.max(LEAST_INCREASE, (scale * BETA) / flow.packetSize);
  }

  /** 0 to 1. */
  #roll(): number {
    let x = this.#dice;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#dice = x;
    return (x >>> 0) / 2 ** 32;
  }
}
