import type { Acknowledgement } from "./acknowledgement.ts";
import type { Flow } from "./congestion/congestion.ts";
import type { LossList } from "./loss-list.ts";
import type { Rtt } from "./rtt.ts";
import type { SendBuffer } from "./send-buffer.ts";
import { ahead, next, shift } from "./sequence.ts";

/**
 * What a sender knows of packets that have left: how many arrived, how many are on their way, how long they take.
 * Peers of ours say so themselves (acknowledgement.ts); of libudt it is inferred: who reports a gap has the packet
 * behind it.
 */
export class Delivery {
  readonly flow: Flow;
  readonly #buffer: SendBuffer;
  readonly #lost: LossList;
  readonly #rtt: Rtt;
  readonly #openedAt: number;
  /** Packets sent for the first time, so far. */
  #fresh = 0;
  /** The packet after the highest that surely arrived. */
  #beyond: number;
  /** Packets before `#beyond` that were reported missing and are not acknowledged. */
  #holes = 0;
  /** Packets that were given up and are not acknowledged. */
  #gone = 0;
  /** -1: the peer tells nothing. */
  #theirTime = -1;
  #theirClock = 0;
  #number = 0;
  /** What the peer has received, by its own word, and what it will never count: dropped messages. */
  #received = 0;
  #uncounted = 0;

  constructor(
    buffer: SendBuffer,
    lost: LossList,
    rtt: Rtt,
    packetSize: number,
    peerWindow: number,
    openedAt: number,
  ) {
    this.#buffer = buffer;
    this.#lost = lost;
    this.#rtt = rtt;
    this.#openedAt = openedAt;
    this.#beyond = buffer.first;
    this.flow = {
      now: openedAt,
      rtt: rtt.smooth,
      rttVariance: rtt.variance,
      rttSample: 0,
      sent: 0,
      delivered: 0,
      deliveredAt: openedAt,
      lost: 0,
      inFlight: 0,
      idleAt: openedAt,
      peerWindow,
      told: false,
      receiveRate: 0,
      linkCapacity: 0,
      newest: shift(buffer.first, -1),
      packetSize,
    };
  }

  /** `seq` leaves; `again`: not for the first time. */
  left(seq: number, again: boolean, now: number): void {
    this.#buffer.markSent(seq, now);
    this.flow.sent += 1;
    if (again) this.#buffer.markLost(seq);
    else {
      this.#fresh += 1;
      this.flow.newest = seq;
    }
    this.settle();
  }

  /** `seq` will never leave: its message is too old. */
  skipped(seq: number): void {
    this.#fresh += 1;
    this.flow.newest = seq;
    this.settle();
  }

  /** A packet, which the buffer does not know as expired yet, will not be sent (again): it is not on its way. */
  gaveUp(): void {
    this.#gone += 1;
    this.settle();
  }

  /** All before `upTo` has arrived. The buffer still has it. */
  acknowledged(upTo: number, ack: Acknowledgement, now: number): void {
    const flow = this.flow;
    flow.now = now;
    flow.rttSample = 0;
    const whole = this.#holes === 0; // so the last one acknowledged has just arrived
    for (let seq = this.#buffer.first; this.#holes > 0 && seq !== upTo; seq = next(seq)) {
      if (this.#buffer.wasLost(seq) && ahead(seq, this.#beyond) < 0) this.#holes -= 1;
    }
    for (let seq = this.#buffer.first; this.#gone > 0 && seq !== upTo; seq = next(seq)) {
      if (this.#buffer.expires(seq) === -Infinity) this.#gone -= 1;
    }
    const newest = shift(upTo, -1);
    const acknowledged = this.#fresh - ahead(this.#buffer.fresh, upTo);
    flow.delivered = Math.max(flow.delivered, acknowledged); // whatever else is said
    const advanced = ahead(upTo, this.#buffer.first) > 0;
    if (ahead(upTo, this.#beyond) > 0) this.#beyond = upTo;
    if (ack.kind === "extended") {
      this.#theirs(ack, acknowledged);
      this.#sample((this.#stamp(now) - ack.echo) | 0);
    } else if (this.#theirTime < 0) {
      const known = advanced && whole && !this.#buffer.wasLost(newest);
      if (known) this.#sample(now - this.#buffer.sentAt(newest));
      else if (ack.kind === "full") this.#take(ack.rtt);
      flow.deliveredAt = now;
      this.#infer();
    }
    if (ack.speed > 0) flow.receiveRate += (ack.speed - flow.receiveRate) / 8;
    if (ack.capacity > 0) flow.linkCapacity += (ack.capacity - flow.linkCapacity) / 8;
    this.settle();
  }

  /** `seq` is missing. */
  missing(seq: number): void {
    this.flow.lost += 1;
    if (this.#buffer.wasLost(seq)) return;
    this.#buffer.markLost(seq);
    if (ahead(seq, this.#beyond) < 0) this.#holes += 1;
  }

  /** The peer reports a gap that ends before `seq`, which was sent: so it has it. */
  reported(seq: number, now: number): void {
    if (ahead(seq, this.#beyond) < 0) return;
    for (let i = this.#beyond; i !== seq; i = next(i))
      if (this.#buffer.wasLost(i)) this.#holes += 1;
    this.#beyond = next(seq);
    if (this.#theirTime >= 0) return;
    const flow = this.flow;
    flow.now = now;
    flow.rttSample = 0;
    if (!this.#buffer.wasLost(seq)) this.#sample(now - this.#buffer.sentAt(seq));
    flow.deliveredAt = now;
    this.#infer();
  }

  /** The list of what is lost has changed. */
  settle(): void {
    const away = this.#fresh - this.flow.delivered - this.#lost.count - this.#gone;
    this.flow.inFlight = Math.max(0, away);
  }

  /** µs since the connection was opened, as headers say it. */
  #stamp(now: number): number {
    return (now - this.#openedAt) >>> 0;
  }

  #sample(rtt: number): void {
    if (rtt <= 0) return;
    this.flow.rttSample = rtt;
    this.#take(rtt);
  }
  #take(rtt: number): void {
    this.#rtt.take(rtt);
    this.flow.rtt = this.#rtt.smooth;
    this.flow.rttVariance = this.#rtt.variance;
  }

  /** What the peer says of itself: never more than was sent, nor less than what it has acknowledged. */
  #theirs(ack: Acknowledgement, acknowledged: number): void {
    const flow = this.flow;
    if (this.#theirTime < 0) this.#theirTime = ack.time;
    else if (ahead(ack.number, this.#number) <= 0) return; // overtaken by a later one
    const more = (ack.received - this.#received) | 0;
    if (more < 0) return;
    flow.told = true;
    this.#number = ack.number & 0x7fff_ffff;
    this.#theirClock += (ack.time - this.#theirTime) >>> 0;
    this.#theirTime = ack.time;
    flow.deliveredAt = this.#theirClock;
    this.#received += more;
    this.#uncounted = Math.max(this.#uncounted, acknowledged - this.#received);
    flow.delivered = Math.max(
      flow.delivered,
      Math.min(this.#fresh, this.#received + this.#uncounted),
    );
  }

  #infer(): void {
    const beyond = this.#fresh - ahead(this.#buffer.fresh, this.#beyond);
    this.flow.delivered = Math.max(this.flow.delivered, beyond - this.#holes);
  }
}
