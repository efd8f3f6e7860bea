import type { Acknowledgement } from "./acknowledgement.ts";
import type { Congestion } from "./congestion/congestion.ts";
import { Delivery } from "./delivery.ts";
import { Echoes } from "./echoes.ts";
import { Expiry } from "./expiry.ts";
import { LossList } from "./loss-list.ts";
import { eachLoss } from "./loss-report.ts";
import { HEADER, putWord } from "./packet.ts";
import type { Rtt } from "./rtt.ts";
import type { SendBuffer } from "./send-buffer.ts";
import { ahead, next, shift } from "./sequence.ts";

/** Packets leave up to this much early or late in one turn, µs: what a system call carries is one train. */
const BURST = 1_000;
/** What a turn that came late may catch up with, µs. */
const CATCH_UP = 5_000;
/** Longest train, packets: as many full ones as fit a datagram of 64 KiB before it is cut. */
const TRAIN = 44;
/** What acknowledgements are late by, µs: the clock of UDT and the turns of both ends. */
const ACK_DELAY = 20_000;
/**
 * libudt's program can read only what a full acknowledgement covers; what a light one covers is lost by a shutdown.
 * The full one follows after 10 ms, or 100 ms when nothing else comes, µs.
 */
const SETTLING = 250_000;
/** Then its program needs a while to read: a recvmsg that waits when the shutdown comes loses what is there, µs. */
const READING = 50_000;
/** Each tail probe in a row waits twice as long, but no longer than this (or a round trip), µs. */
const SLOWEST_PROBE = 500_000;
/** Packets that are repeated at least when the oldest one does not arrive: two flights of a small window. */
const LEAST_REPEATED = 16;
/** libudt never lets a receiver say less: something must go, or nobody would learn of room again. */
const LEAST_WINDOW = 2;
/** libudt measures the link by the packets whose number ends in 0 and 1, which leave back to back. */
const PAIR_MASK = 15;

/** The half of a connection that data leaves from. Times µs. */
export class Sender {
  readonly buffer: SendBuffer;
  readonly congestion: Congestion;
  readonly delivery: Delivery;
  readonly #lost = new LossList();
  readonly #rtt: Rtt;
  /** Packets the peer has room for, from `buffer.first` on. */
  peerWindow: number;
  /** When the next data packet is due. */
  #due = 0;
  /** Since when nothing was sent and no news came. */
  #quietSince = 0;
  #probes = 0;
  /** How often in a row the oldest packet was taken for lost. */
  #stalls = 0;
  /** Packets acknowledged since that was so last. */
  #sinceStall = 0;
  /** From then on all that was acknowledged can be read by the peer's program. */
  settledAt = -Infinity;
  readonly #expiry: Expiry;
  readonly #echoes: Echoes;
  bytes = 0;
  retransmitted = 0;

  constructor(
    buffer: SendBuffer,
    congestion: Congestion,
    rtt: Rtt,
    peerWindow: number,
    datagram: number,
    twice: boolean,
    now: number,
  ) {
    this.buffer = buffer;
    this.congestion = congestion;
    this.peerWindow = peerWindow;
    this.delivery = new Delivery(buffer, this.#lost, rtt, datagram, peerWindow, now);
    this.#rtt = rtt;
    this.#expiry = new Expiry(buffer, this.delivery, this.#lost);
    this.#echoes = new Echoes(twice, buffer, this.delivery.flow, congestion, rtt);
    congestion.onStart(this.delivery.flow);
  }

  /** Messages that were too old to be sent (again). */
  get dropped(): number {
    return this.#expiry.messages;
  }

  /** Nothing leaves before `at`. */
  hold(at: number): void {
    this.#due = Math.max(this.#due, at);
  }

  /** An acknowledgement; false: it acknowledges what was never sent. */
  acknowledge(ack: Acknowledgement, now: number): boolean {
    const buffer = this.buffer;
    const advance = ahead(ack.next, buffer.first);
    if (advance < 0) return true; // overtaken by a later one
    if (ahead(ack.next, buffer.fresh) > 0) return false;
    const before = this.delivery.flow.delivered;
    this.#lost.removeBefore(ack.next);
    this.delivery.acknowledged(ack.next, ack, now);
    this.#sinceStall += advance;
    buffer.first = ack.next;
    const settling = ack.kind === "light" ? SETTLING : READING;
    if (this.delivery.flow.told) this.settledAt = -Infinity;
    else if (advance > 0) this.settledAt = now + settling;
    else this.settledAt = Math.min(this.settledAt, now + settling);
    const window = ack.kind === "light" ? this.peerWindow - advance : ack.free;
    this.peerWindow = Math.max(LEAST_WINDOW, window);
    this.delivery.flow.peerWindow = this.peerWindow;
    if (advance > 0 || this.delivery.flow.delivered > before) this.#progress(now);
    this.congestion.onAck(this.delivery.flow);
    return true;
  }

  /** A report of loss: words `bytes[at..to)`; false: of what was never sent, or the wrong way round. */
  report(bytes: Uint8Array, at: number, to: number, now: number): boolean {
    return eachLoss(bytes, at, to, (first, last) => {
      const { buffer } = this;
      if (ahead(last, buffer.fresh) >= 0) return false;
      if (ahead(last, buffer.first) < 0) return true; // has come since
      this.#lose(ahead(first, buffer.first) < 0 ? buffer.first : first, last, now);
      return true;
    });
  }

  /**
   * The peer has been silent: as libudt, all that it did not acknowledge is taken for lost. Not for peers of ours: they
   * say what they miss as soon as a probe arrives, and a machine that was busy for a while has lost nothing.
   */
  timeout(now: number, count: number): void {
    if (this.#lost.count === 0 && !this.delivery.flow.told) {
      for (let seq = this.buffer.first; seq !== this.buffer.fresh; seq = next(seq)) {
        this.delivery.missing(seq);
        this.#lost.add(seq);
      }
      this.delivery.settle();
    }
    this.delivery.flow.now = now;
    this.congestion.onTimeout(this.delivery.flow, count);
  }

  /** The peer warns of congestion (libudt: a delay that grows). */
  warned(now: number): void {
    const flow = this.delivery.flow;
    flow.now = now;
    this.congestion.onLoss(flow, flow.newest, flow.newest);
  }

  /** The data packet that is due, or the word that some will not come; 0: nothing is. */
  poll(now: number, time: number, to: number, out: Uint8Array, at: number): number {
    if (this.#expiry.isUntold) return this.#expiry.tell(time, to, out, at);
    if (now < this.#due) return 0;
    if (now >= this.#staleAt) this.#loseStale(now);
    const seq = this.#echoes.isUrgent(now) ? -1 : this.#choose(now);
    if (seq < 0) return this.#again(now, time, to, out, at);
    if (now >= this.buffer.expires(seq)) {
      this.#expiry.giveUp(seq, now);
      this.#quietSince = now;
      return this.#expiry.tell(time, to, out, at);
    }
    const again = seq !== this.buffer.fresh;
    if (again) {
      this.retransmitted += 1;
      this.#echoes.repaired(seq, now);
    } else this.buffer.fresh = next(seq);
    this.delivery.left(seq, again, now);
    this.#quietSince = now;
    const pair = again ? -1 : seq & PAIR_MASK;
    return this.#put(seq, now, time, to, out, at, pair === 0 ? 0 : pair === 1 ? 2 : 1);
  }

  get wakeAt(): number {
    if (this.#expiry.isUntold) return -Infinity;
    if (this.#sendable()) {
      const period = this.congestion.period;
      return this.#due + Math.max(0, Math.min(BURST - period, (TRAIN - 1) * period));
    }
    return Math.max(this.#due, Math.min(this.#probeAt, this.#staleAt, this.#echoes.wakeAt));
  }

  /** A packet that is sent once more, for which nobody asked. It changes nothing that is known of the path. */
  #again(now: number, time: number, to: number, out: Uint8Array, at: number): number {
    const seq = this.#echoes.take(now);
    return seq < 0 ? 0 : this.#put(seq, now, time, to, out, at, 1);
  }

  /** Writes the packet; the next one is due `periods` later. */
  #put(
    seq: number,
    now: number,
    time: number,
    to: number,
    out: Uint8Array,
    at: number,
    periods: number,
  ): number {
    const length = this.buffer.copyTo(seq, out, at);
    putWord(out, at + 8, time);
    putWord(out, at + 12, to);
    this.bytes += length - HEADER;
    if (now - this.#due > CATCH_UP) this.#due = now - BURST; // not late: there was nothing to do
    this.#due += this.congestion.period * periods;
    return length;
  }

  #progress(now: number): void {
    this.#quietSince = now;
    this.#probes = 0;
    this.#stalls = 0;
  }

  /** Something waits, and the windows let it go. */
  #sendable(): boolean {
    const { buffer, congestion } = this;
    const { inFlight } = this.delivery.flow;
    if (this.#lost.count > 0) return congestion.spans || inFlight < congestion.window;
    if (buffer.unsent === 0) return false;
    const span = ahead(buffer.fresh, buffer.first);
    if (span >= this.peerWindow) return false;
    return (congestion.spans ? span : inFlight) < congestion.window;
  }

  /** What goes next: what was lost, what is new, or, in silence, a probe; -1: nothing may. */
  #choose(now: number): number {
    if (this.#sendable()) {
      const lost = this.#lost.lowest;
      if (lost < 0) return this.buffer.fresh;
      this.#lost.remove(lost);
      return lost;
    }
    const { buffer } = this;
    if (buffer.unsent === 0 || ahead(buffer.fresh, buffer.first) >= this.peerWindow) {
      this.delivery.flow.idleAt = now;
    }
    if (now < this.#probeAt) return -1;
    this.#probes += 1;
    const lost = this.#lost.lowest;
    const newest = shift(buffer.fresh, -1);
    // A message that is too old tells the receiver nothing of those before it: the oldest goes, or is dropped again.
    if (lost < 0) return now < buffer.expires(newest) ? newest : buffer.first;
    this.#lost.remove(lost);
    return lost;
  }

  /** When the last packet is sent again, for the receiver to see what is missing before it. */
  get #probeAt(): number {
    if (this.buffer.first === this.buffer.fresh) return Infinity;
    const patience = this.#rtt.patience + ACK_DELAY;
    return (
      this.#quietSince + Math.max(patience, Math.min(patience * 2 ** this.#probes, SLOWEST_PROBE))
    );
  }

  /**
   * When the oldest packet has not arrived for so long that it must be lost, and so is whatever said so: libudt
   * reports a packet once and never again, whether its report or the repetition is lost. Peers of ours go on.
   */
  get #staleAt(): number {
    const { first, fresh } = this.buffer;
    if (first === fresh || this.delivery.flow.told || this.#lost.lowest === first) return Infinity;
    const patience = this.#rtt.patience + ACK_DELAY;
    const wait = Math.max(patience, Math.min(patience * 2 ** this.#stalls, SLOWEST_PROBE));
    return this.buffer.sentAt(first) + wait;
  }

  /**
   * The oldest packet, and of those that were lost before and repeated no later than it should have been twice as many
   * as came of the last time: all of them at once may be what overflowed a queue, over and over.
   */
  #loseStale(now: number): void {
    const { buffer, delivery } = this;
    const before = now - (this.#rtt.patience + ACK_DELAY);
    let left = Math.max(LEAST_REPEATED, 2 * this.#sinceStall);
    this.#stalls += 1;
    this.#sinceStall = 0;
    for (let seq = buffer.first; left > 0 && seq !== buffer.fresh; seq = next(seq)) {
      if (seq !== buffer.first && !buffer.wasLost(seq)) continue;
      if (buffer.sentAt(seq) > before || !this.#lost.add(seq)) continue;
      delivery.missing(seq);
      left -= 1;
    }
    delivery.settle();
  }

  #lose(first: number, last: number, now: number): void {
    const behind = next(last);
    if (ahead(behind, this.buffer.fresh) < 0) this.delivery.reported(behind, now);
    // What was sent less than a round trip ago cannot have been missed yet when this was said.
    const before = now - Math.min(this.#rtt.least, this.#rtt.smooth);
    let any = false;
    for (let seq = first; ahead(last, seq) >= 0; seq = next(seq)) {
      if (this.buffer.sentAt(seq) > before || !this.#lost.add(seq)) continue;
      this.delivery.missing(seq);
      any = true;
    }
    if (!any) return;
    this.delivery.settle();
    this.delivery.flow.now = now;
    this.congestion.onLoss(this.delivery.flow, first, last);
  }
}
