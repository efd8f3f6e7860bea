import type { Congestion } from "../udt/congestion/congestion.ts";
import { UdtConnection } from "../udt/connection.ts";
import { AckThinner } from "./ack-thinner.ts";
import { FlowOrder } from "./flow-order.ts";
import { FLOWS, UNORDERED } from "./flow.ts";
import type { Memory } from "./memory.ts";
import { AT, KIND, TRAILER } from "./plaintext.ts";

/** Behind each message: its flow (u16) and its number there (u32). */
const FLOW_TRAILER = 6;
const UDT_HEADER = 16;
/** What UDT counts as the headers of IP and UDP, and takes off its MSS. */
const IP_UDP = 28;
/** Bytes around a plaintext that is repaired. */
export const REPAIR_AROUND: number = FLOW_TRAILER + UDT_HEADER + TRAILER;
/** Packets that wait to be acknowledged: a second of 100 Mbit/s. */
const PACKETS = 8192;
const MS = 1000;
/**
 * What waits to be sent, in least round trips (of so many µs at least and at most). A sender's window is on its
 * way, held up for a repair, or waits: so what waits comes and goes by a round trip. When it has not been less
 * than STANDING for STANDS of them, or is more than AT_ONCE, one packet is dropped, so that TCP inside goes
 * slower; beyond ALL, all are.
 */
const SHORTEST_QUEUE = 40 * MS;
const LONGEST_QUEUE = 250 * MS;
const STANDING = 0.6;
const STANDS = 3;
const AT_ONCE = 2;
const ALL = 4;
/** A sender that goes slower is not heard of before this: twice what is there and back, what waits and what a repair takes. */
const ANSWER = 2;

/** What both ends have of one repaired path. */
export interface RepairParts {
  /** Longest plaintext that is repaired. */
  readonly longest: number;
  /** For each conversation anew. */
  readonly congestion: () => Congestion;
  /** A packet older than that is not worth being repeated, nor being waited for: ms. */
  readonly patience: number;
  /** 31 random bits. */
  readonly random: () => number;
  /** Plaintexts as they were offered, in the order of their flow; not to be kept. */
  readonly deliver: (plain: Uint8Array) => void;
}

/**
 * Plaintexts that are repeated when they get lost: each is a message of UDT, whose datagrams, data
 * and control, are plaintexts themselves, and sealed like any other: nobody can forge one. Sans-I/O;
 * times are µs.
 *
 *     | UDT datagram: header, plaintext, flow, number | trailer: kind 3, from at 4, to at 8 |
 *
 * Both ends meet as at a rendezvous. `from` is the writer's conversation, a random number, `to` the
 * reader's as far as the writer knows: who begins anew is noticed, and what was meant for an earlier
 * conversation is not taken for one of this.
 */
export class Repair {
  readonly #parts: RepairParts;
  readonly #numbers = new Uint32Array(FLOWS);
  readonly #message: Uint8Array<ArrayBuffer>;
  readonly #view: DataView;
  readonly #thinner = new AckThinner();
  readonly #kept: Memory;
  #order: FlowOrder;
  #connection: UdtConnection;
  #own: number;
  #theirs = 0;
  #before = 0;
  #nextDrop = 0;
  /** When hardly anything waited last. */
  #emptyAt = 0;
  /** Packets that were not taken, since too many wait. */
  dropped = 0;

  constructor(parts: RepairParts, now: number) {
    this.#parts = parts;
    this.#message = new Uint8Array(new ArrayBuffer(parts.longest + FLOW_TRAILER));
    this.#view = new DataView(this.#message.buffer);
    const kept = new Uint8Array(new ArrayBuffer(parts.longest));
    this.#kept = { bytes: kept, view: new DataView(kept.buffer) };
    this.#own = parts.random();
    this.#connection = this.#begin(now);
    this.#order = this.#newOrder();
  }

  get isOpen(): boolean {
    return this.#connection.state === "open";
  }
  get stats() {
    return this.#connection.stats;
  }

  /**
   * Send the `length` bytes at `at`, which are of `flow`, now or (an acknowledgement that the next may stand for) before
   * long. False: they are dropped, and counted.
   */
  offer(memory: Memory, at: number, length: number, flow: number, now: number): boolean {
    const { leastRtt } = this.#connection;
    const isPacket = memory.bytes[at + length - TRAILER + AT.kind] === KIND.packet;
    if (
      isPacket &&
      flow === UNORDERED &&
      this.#thinner.keep(memory, at, length, TRAILER, leastRtt, now)
    )
      return true;
    return this.#send(memory, at, length, flow, now);
  }

  #send({ bytes }: Memory, at: number, length: number, flow: number, now: number): boolean {
    const message = this.#message;
    const whole = length + FLOW_TRAILER;
    if (!this.isOpen || whole > this.#connection.writable || this.#isTooMuch(now)) {
      this.dropped++;
      return false;
    }
    for (let i = 0; i < length; i++) message[i] = bytes[at + i] as number; // the caller's bytes
    const number = flow < FLOWS ? (this.#numbers[flow] as number) : 0;
    this.#view.setUint16(length, flow);
    this.#view.setUint32(length + 2, number);
    const ttlMs = this.#parts.patience;
    if (!this.#connection.sendMessage(message.subarray(0, whole), { ttlMs }, now)) {
      this.dropped++;
      return false;
    }
    if (flow < FLOWS) this.#numbers[flow] = number + 1;
    return true;
  }

  /** A plaintext of kind 3 came: `length` bytes at `at`. False: it is none. */
  receive({ bytes, view }: Memory, at: number, length: number, now: number): boolean {
    const trailer = at + length - TRAILER;
    if (length < UDT_HEADER + TRAILER) return false;
    const from = view.getUint32(trailer + 4);
    const to = view.getUint32(trailer + 8);
    if (from === 0) return false;
    if (from !== this.#theirs) {
      // Late words of a conversation that is over.
      if (from === this.#before) return true;
      const isFirst = this.#theirs === 0;
      this.#before = this.#theirs;
      this.#theirs = from;
      if (!isFirst) this.#renew(now);
    }
    if (to !== 0 && to !== this.#own) return true;
    this.#connection.receive(bytes, at, trailer, now);
    this.#read(now);
    return true;
  }

  /** Write the next plaintext that is due to `at`; its length, 0: none is. */
  poll(now: number, { bytes, view }: Memory, at: number): number {
    if (this.#connection.state === "broken" || this.#connection.state === "closed") {
      this.#own = this.#parts.random();
      this.#renew(now);
    }
    if (now >= this.#order.wakeAt) this.#order.expire(now);
    this.#sayKept(now);
    const length = this.#connection.poll(now, bytes, at);
    if (length === 0) return 0;
    const trailer = at + length;
    bytes.fill(0, trailer, trailer + TRAILER);
    bytes[trailer + AT.kind] = KIND.repaired;
    view.setUint32(trailer + 4, this.#own);
    view.setUint32(trailer + 8, this.#theirs);
    return length + TRAILER;
  }

  /** When to poll next, even if nothing happens. */
  get wakeAt(): number {
    return Math.min(this.#connection.wakeAt(), this.#order.wakeAt, this.#thinner.wakeAt);
  }

  /** Acknowledgements that have waited for the next for long enough. */
  #sayKept(now: number): void {
    if (now < this.#thinner.wakeAt) return;
    const kept = this.#kept;
    for (
      let length = this.#thinner.take(now, kept, 0);
      length > 0;
      length = this.#thinner.take(now, kept, 0)
    )
      this.#send(kept, 0, length, UNORDERED, now);
  }

  #read(now: number): void {
    const message = this.#message;
    for (;;) {
      const length = this.#connection.readMessage(message, 0, message.length);
      if (length < 0) return;
      const end = length - FLOW_TRAILER;
      if (end < 0) continue;
      const flow = this.#view.getUint16(end);
      this.#order.take(flow, this.#view.getUint32(end + 2), message.subarray(0, end), now);
    }
  }

  /** Does so much wait that this packet is to be dropped? */
  #isTooMuch(now: number): boolean {
    const { backlog, leastRtt } = this.#connection;
    const queue = Math.min(LONGEST_QUEUE, Math.max(SHORTEST_QUEUE, leastRtt));
    if (backlog < STANDING * queue) this.#emptyAt = now;
    if (backlog > ALL * queue) return true;
    const stands = now - this.#emptyAt > STANDS * queue;
    if ((!stands && backlog < AT_ONCE * queue) || now < this.#nextDrop) return false;
    this.#nextDrop = now + ANSWER * (2 * leastRtt + backlog + queue);
    return true;
  }

  #renew(now: number): void {
    this.#connection = this.#begin(now);
    this.#order = this.#newOrder();
    this.#numbers.fill(0);
  }

  #begin(now: number): UdtConnection {
    const { longest, congestion, random } = this.#parts;
    return new UdtConnection({
      role: "rendezvous",
      kind: "message",
      id: random() || 1,
      initial: random(),
      peerAddress: new Uint8Array(4), // the same for both: there is nothing else on this path
      congestion: congestion(),
      mss: longest + FLOW_TRAILER + UDT_HEADER + IP_UDP,
      sendPackets: PACKETS,
      receivePackets: PACKETS,
      twice: true,
      now,
    });
  }

  #newOrder(): FlowOrder {
    const { patience, deliver } = this.#parts;
    return new FlowOrder(patience * MS, deliver);
  }
}
