import { FLOWS, UNORDERED } from "./flow.ts";
import { ahead, NUMBERS } from "./fragment.ts";

/** Most bytes that wait for others: half a second of 100 Mbit/s, and more than one flow. */
const MOST = 16 * 1024 * 1024;

interface Waiting {
  readonly parts: Map<number, Uint8Array>;
  /** Since when the first of them waits. */
  since: number;
}

/** What comes out of the order. `packet` must not be kept. */
export interface InOrder {
  /** The next of `flow`; or, of UNORDERED, one that waited for none. */
  deliver(packet: Uint8Array, flow: number): void;
  /** One that nobody waited for any more, behind those that are delivered. */
  late(packet: Uint8Array): void;
  /** What would have been next in `flow` is not waited for: the next one delivered does not follow the last. */
  broken(flow: number): void;
}

/**
 * Puts the packets of each flow in their order again. One that is missing holds up its own flow only,
 * and not longer than `patience`.
 */
export class FlowOrder {
  readonly #patience: number;
  readonly #out: InOrder;
  readonly #expected = new Uint32Array(FLOWS);
  readonly #waiting = new Map<number, Waiting>();
  #bytes = 0;

  /** `patience` in the unit of all times here. */
  constructor(patience: number, out: InOrder) {
    this.#patience = patience;
    this.#out = out;
  }

  /** Bytes that wait. */
  get bytes(): number {
    return this.#bytes;
  }
  /** When `expire` has something to do next. */
  get wakeAt(): number {
    let first = Infinity;
    for (const { since } of this.#waiting.values()) first = Math.min(first, since);
    return first + this.#patience;
  }

  /** Packet `number` (of NUMBERS) of `flow`. */
  take(flow: number, number: number, packet: Uint8Array, now: number): void {
    if (flow >= FLOWS) {
      if (flow === UNORDERED) this.#out.deliver(packet, flow);
      return;
    }
    const expected = this.#expected[flow] as number; // below FLOWS
    const early = ahead(number, expected);
    if (early < 0) return this.#out.late(packet);
    if (early === 0) {
      this.#expected[flow] = (number + 1) % NUMBERS;
      this.#out.deliver(packet, flow);
      const waiting = this.#waiting.get(flow);
      if (waiting !== undefined) this.#run(flow, waiting, now);
      return;
    }
    let waiting = this.#waiting.get(flow);
    if (waiting === undefined)
      this.#waiting.set(flow, (waiting = { parts: new Map(), since: now }));
    if (waiting.parts.has(number)) return;
    waiting.parts.set(number, packet.slice());
    this.#bytes += packet.length;
    if (this.#bytes > MOST) this.#skip(flow, waiting, now);
  }

  /** Deliver what has waited for too long. */
  expire(now: number): void {
    for (const [flow, waiting] of this.#waiting)
      if (now - waiting.since >= this.#patience) this.#skip(flow, waiting, now);
  }

  /** What is missing will not come: go on with the first that is there. */
  #skip(flow: number, waiting: Waiting, now: number): void {
    const expected = this.#expected[flow] as number;
    let least = Infinity;
    for (const number of waiting.parts.keys()) least = Math.min(least, ahead(number, expected));
    this.#expected[flow] = (expected + least) % NUMBERS;
    this.#out.broken(flow);
    this.#run(flow, waiting, now);
  }

  #run(flow: number, waiting: Waiting, now: number): void {
    const { parts } = waiting;
    let number = this.#expected[flow] as number;
    for (let packet = parts.get(number); packet !== undefined; packet = parts.get(number)) {
      parts.delete(number);
      this.#bytes -= packet.length;
      number = (number + 1) % NUMBERS;
      this.#expected[flow] = number;
      this.#out.deliver(packet, flow);
    }
    if (parts.size === 0) this.#waiting.delete(flow);
    else waiting.since = now;
  }
}
