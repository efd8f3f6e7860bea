import { emitAcknowledgement, noAcknowledgement } from "./acknowledgement.ts";
import { Arrivals } from "./arrivals.ts";
import { LossList } from "./loss-list.ts";
import { putLoss } from "./loss-report.ts";
import { Messages } from "./messages.ts";
import { Control, HEADER, putControl, word } from "./packet.ts";
import { ReceiveBuffer } from "./receive-buffer.ts";
import type { Rtt } from "./rtt.ts";
import { ahead, next, shift } from "./sequence.ts";

/** The clock of UDT: acknowledgements are no further apart, µs. */
const SYN = 10_000;
/** One more acknowledgement for so many packets. */
const EVERY = 64;
/** Full ones are at least so far apart, µs; between them go light ones. */
const FULL_GAP = 1_000;
/** What is missing is reported again after a round trip and its deviation, but not before this, µs. */
const LEAST_REPORT = 20_000;
/** Between a report and its like, µs. */
const ECHO_AFTER = 5_000;
/** Acknowledgements whose ACK2 may still come. A power of two. */
const REMEMBERED = 256;
/** libudt never says that less than this is free, or a sender would stop for good. */
const LEAST_FREE = 2;

/** The half of a connection that data arrives at. Times µs. */
export class Receiver {
  readonly buffer: ReceiveBuffer;
  readonly #messages: Messages | undefined;
  readonly #payload: number;
  readonly #rtt: Rtt;
  readonly #missing = new LossList();
  readonly #arrivals = new Arrivals();
  readonly #ack = noAcknowledgement();
  readonly #ackedAt = new Float64Array(REMEMBERED);
  /** The packet after the highest that arrived. */
  #end: number;
  #ackDue = Infinity;
  #lastAck = -Infinity;
  #lastFull = -Infinity;
  #sinceAck = 0;
  #ackNumber = 0;
  /** The free room last told. */
  #told: number;
  #reportDue = Infinity;
  #newestStamp = 0;
  #newestAt = 0;
  /** Say what is missing once more before long: a report that is lost costs a round trip. */
  readonly #twice: boolean;
  received = 0;
  bytes = 0;
  duplicates = 0;
  overflowed = 0;
  nonsense = 0;

  constructor(
    kind: "stream" | "message",
    initial: number,
    payload: number,
    most: number,
    rtt: Rtt,
    twice: boolean,
  ) {
    this.buffer = new ReceiveBuffer(initial, payload, most);
    this.#messages = kind === "message" ? new Messages(this.buffer) : undefined;
    this.#payload = payload;
    this.#rtt = rtt;
    this.#twice = twice;
    this.#end = initial;
    this.#told = most;
  }

  /** A data packet: `bytes[from..to)`, header included. */
  data(bytes: Uint8Array, from: number, to: number, now: number): void {
    const length = to - from - HEADER;
    if (length <= 0 || length > this.#payload) {
      this.nonsense += 1;
      return;
    }
    const seq = word(bytes, from);
    const place = ahead(seq, this.#end);
    if (ahead(seq, this.buffer.first) >= this.buffer.most) {
      this.overflowed += 1;
      this.#ackSoon(now, SYN);
      return;
    }
    if (place < 0 && !this.#missing.remove(seq)) {
      this.duplicates += 1; // the sender may not have heard that we have it
      this.#ackSoon(now, SYN);
      return;
    }
    this.received += 1;
    this.bytes += length;
    this.#newestStamp = word(bytes, from + 8);
    this.#newestAt = now;
    this.#arrivals.arrived(seq, now);
    if (place >= 0) {
      if (place > 0) this.#lacks(this.#end, shift(seq, -1), now);
      this.#end = next(seq);
    }
    this.buffer.put(seq, word(bytes, from + 4), bytes, from, to, this.#end);
    if (this.#messages !== undefined && this.#missing.count > 0) {
      if (ahead(seq, this.#gap) > 0) this.#messages.arrived(seq, this.#end);
    }
    this.#sinceAck += 1;
    if (this.#sinceAck >= EVERY) this.#ackDue = now;
    else this.#ackSoon(now, length < this.#payload ? FULL_GAP : this.#gapInTime);
  }

  /** The sender has dropped a message: `first` to `last` will never come. What is before it and not here is missing. */
  drop(first: number, last: number, now: number): void {
    const end = this.#end;
    // Both of them, and in this order: numbers wrap, and one that is far ahead has others behind it that are behind us.
    const sane = this.#mayCome(first) && this.#mayCome(last) && ahead(last, first) >= 0;
    if (this.#messages === undefined || !sane) {
      this.nonsense += 1;
      return;
    }
    const from = ahead(first, this.#gap) < 0 ? this.#gap : first;
    if (ahead(from, end) > 0) this.#lacks(end, shift(from, -1), now);
    this.#ackDue = -Infinity; // said again, too, if the sender has not heard that this is settled
    if (ahead(last, from) < 0) return;
    if (ahead(last, end) >= 0) this.#end = next(last);
    for (let seq = from; ahead(last, seq) >= 0; seq = next(seq)) {
      if (ahead(seq, end) < 0) this.#missing.remove(seq);
    }
    this.#messages.drop(from, last, this.#end);
  }

  /** ACK2: our acknowledgement `number` has arrived. */
  acknowledged(number: number, now: number): void {
    const old = this.#ackNumber - number;
    if (old < 0 || old >= REMEMBERED || number <= 0) return;
    const slot = number & (REMEMBERED - 1);
    if (this.#ackedAt[slot]! > 0) this.#rtt.take(now - this.#ackedAt[slot]!);
    this.#ackedAt[slot] = 0;
    if (this.#missing.count > 0) this.#reportDue = now; // with what is known of the round trip now
  }

  /** The acknowledgement or report that is due, for socket `to`, of `size` at most; 0: none is. `time` is what headers say. */
  poll(now: number, time: number, size: number, to: number, out: Uint8Array, at: number): number {
    if (now >= this.#reportDue) {
      const length = this.#report(now, time, size, to, out, at);
      if (length > 0) return length;
    }
    return now >= this.#ackDue ? this.#acknowledge(now, time, to, out, at) : 0;
  }

  get wakeAt(): number {
    return Math.min(this.#ackDue, this.#reportDue);
  }

  get readable(): number {
    return this.#messages === undefined
      ? this.buffer.run(this.#gap, Infinity)
      : this.#messages.size(this.#gap, this.#end);
  }

  /** Stream: bytes in one piece, at `buffer.from` of `buffer.slab`. */
  peek(enough: number): number {
    return this.buffer.run(this.#gap, enough);
  }
  skip(count: number): void {
    this.buffer.skip(Math.min(count, this.peek(count)));
    this.#roomAgain();
  }

  readMessage(out: Uint8Array, at: number, max: number): number {
    const length = this.#messages?.read(out, at, max, this.#gap, this.#end) ?? -1;
    if (length >= 0) this.#roomAgain();
    return length;
  }

  /** `seq` is no further than there is room for; it may be behind us. */
  #mayCome(seq: number): boolean {
    return ahead(seq, this.buffer.first) < this.buffer.most;
  }

  /** `first` to `last`, beyond all that arrived, are missing: to be said at once. */
  #lacks(first: number, last: number, now: number): void {
    this.#missing.append(first, last, -Infinity);
    this.#reportDue = Math.min(this.#reportDue, now);
  }

  /** The first packet that is missing. */
  get #gap(): number {
    return this.#missing.count === 0 ? this.#end : this.#missing.lowest;
  }
  get #free(): number {
    return this.buffer.most - ahead(this.#gap, this.buffer.first);
  }

  /** A small window on a short path would else wait for acknowledgements only: four of them in a round trip. */
  get #gapInTime(): number {
    return Math.max(FULL_GAP, Math.min(SYN, this.#rtt.smooth / 4));
  }

  /** A sender that was told there is hardly any room hears when there is again. */
  #roomAgain(): void {
    if (this.#told * 4 < this.buffer.most && this.#free * 2 > this.buffer.most) {
      this.#told = this.buffer.most;
      this.#ackDue = -Infinity;
    }
  }

  #ackSoon(now: number, gap: number): void {
    this.#ackDue = Math.min(this.#ackDue, Math.max(now, this.#lastAck + gap));
  }

  #acknowledge(now: number, time: number, to: number, out: Uint8Array, at: number): number {
    const ack = this.#ack;
    const full = now >= this.#lastFull + FULL_GAP || this.#ackDue === -Infinity;
    this.#ackDue = full ? Infinity : this.#lastFull + FULL_GAP;
    this.#sinceAck = 0;
    this.#lastAck = now;
    ack.kind = full ? "extended" : "light";
    ack.time = time;
    ack.next = this.#gap;
    if (full) {
      this.#lastFull = now;
      this.#ackNumber = (this.#ackNumber + 1) & 0x7fff_ffff;
      this.#ackedAt[this.#ackNumber & (REMEMBERED - 1)] = now;
      this.#told = this.#free;
      ack.number = this.#ackNumber;
      ack.rtt = Math.round(this.#rtt.smooth);
      ack.rttVariance = Math.round(this.#rtt.variance);
      ack.free = Math.max(LEAST_FREE, this.#free);
      ack.speed = this.#arrivals.measure(now);
      ack.capacity = this.#arrivals.capacity();
      ack.received = this.received;
      ack.echo = this.#newestStamp + Math.round(now - this.#newestAt);
    }
    return emitAcknowledgement(ack, to, out, at);
  }

  /** Says what is missing and was not said, or so long ago that its repetition is lost too. libudt says it once only. */
  #report(
    now: number,
    time: number,
    size: number,
    to: number,
    out: Uint8Array,
    at: number,
  ): number {
    const patience = Math.max(LEAST_REPORT, this.#rtt.patience);
    const room = at + size - 8;
    let end = at + HEADER;
    let nextDue = Infinity;
    for (let i = 0; i < this.#missing.ranges; i++) {
      if (this.#missing.whenOf(i) + patience <= now) {
        if (end > room) {
          nextDue = now;
          break;
        }
        end += putLoss(out, end, this.#missing.firstOf(i), this.#missing.lastOf(i));
        const isFirst = this.#missing.whenOf(i) === -Infinity;
        this.#missing.setWhen(i, this.#twice && isFirst ? now - patience + ECHO_AFTER : now);
      }
      nextDue = Math.min(nextDue, this.#missing.whenOf(i) + patience);
    }
    this.#reportDue = nextDue;
    if (end === at + HEADER) return 0;
    putControl(out, at, Control.nak, 0, time, to);
    return end - at;
  }
}
