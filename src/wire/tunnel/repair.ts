import type { Congestion } from "../udt/congestion/congestion.ts";
import { UdtConnection } from "../udt/connection.ts";
import { AckThinner } from "./ack-thinner.ts";
import { Assembly, LONGEST } from "./assembly.ts";
import { FlowOrder } from "./flow-order.ts";
import { UNORDERED } from "./flow.ts";
import { type Fragment, parseTail, TAIL } from "./fragment.ts";
import type { Memory } from "./memory.ts";
import { Packer } from "./packer.ts";
import { AT, KIND, TRAILER } from "./plaintext.ts";
import {
  CONTROL_MORE,
  FROM_AT,
  IN_FRONT,
  isControl,
  tagOf,
  TO_AT,
  UDT_AROUND,
  unwrapData,
  wrap,
} from "./repaired.ts";
import { WaitingLine } from "./waiting.ts";

/**
 * So many bytes more than the longest packet a datagram has room for: its trailer; and what IPv4 has room for on an
 * Ethernet when that packet is of 1380 bytes, since nothing that is repaired has to fit one datagram.
 */
export const REPAIR_AROUND = 44;
/** Acknowledgements that may be kept have no more bytes. */
const KEPT = 128;
/** Packets that wait to be acknowledged: a second of 100 Mbit/s. */
const PACKETS = 8192;
const MS = 1000;
/**
 * What waits to be sent, in least round trips (of so many µs at least and at most). A sender's window is on its
 * way, held up for a repair, or waits: so what waits comes and goes by a round trip; and a sender that is told to go
 * slower leaves out a third of its window, which must have waited, or the path is empty for seconds. When it has
 * not been less than STANDING for STANDS of them, or is more than AT_ONCE, one packet is dropped, so that TCP inside
 * goes slower; beyond ALL, all are.
 */
const SHORTEST_QUEUE = 60 * MS;
const LONGEST_QUEUE = 250 * MS;
const STANDING = 1;
const STANDS = 3;
const AT_ONCE = 2.5;
const ALL = 8;
/** So many datagrams are ready to leave; all others may still be overtaken. */
const READY = 16;
/** Datagrams that wait at most, however fast the path is: 45 MB. */
const MOST_WAITING = 32_768;
/** A sender that goes slower is not heard of before this: twice what is there and back, what waits and what a repair takes. */
const ANSWER = 2;

/** What both ends have of one repaired path. */
export interface RepairParts {
  /** Most bytes of a plaintext in one datagram, at first and ever. */
  readonly room: number;
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
 * Plaintexts that are repeated when they get lost. As they are, what of them is lost is not lost to them, they
 * may be as long as the kernel makes packets: each goes in as many parts as it needs, each part is a message of
 * UDT, whose datagrams, data and control, are plaintexts themselves (repaired.ts), and sealed like any other:
 * nobody can forge one. Sans-I/O; times are µs.
 *
 * Both ends meet as at a rendezvous. Each has a random number for its conversation, and says the other's as far
 * as it knows: who begins anew is noticed, and what was meant for an earlier conversation is not taken for one
 * of this.
 */
export class Repair {
  readonly #parts: RepairParts;
  readonly #message: Uint8Array<ArrayBuffer>;
  readonly #view: DataView;
  readonly #thinner = new AckThinner();
  readonly #kept: Memory;
  readonly #fragment: Fragment = { flow: 0, part: 0, number: 0, joint: false };
  #order: FlowOrder;
  #connection: UdtConnection;
  #congestion: Congestion;
  readonly #waiting = new WaitingLine();
  readonly #packer: Packer;
  /** When what is being packed leaves, µs. */
  #departs = 0;
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
    this.#packer = new Packer(parts.room, (bytes) => {
      const ttlMs = this.#parts.patience;
      this.#connection.sendMessage(bytes, { ttlMs }, this.#departs);
    });
    this.#message = new Uint8Array(new ArrayBuffer(parts.room + TAIL));
    this.#view = new DataView(this.#message.buffer);
    const kept = new Uint8Array(new ArrayBuffer(KEPT));
    this.#kept = { bytes: kept, view: new DataView(kept.buffer) };
    this.#own = parts.random();
    this.#congestion = parts.congestion();
    this.#connection = this.#begin(now);
    this.#order = this.#newOrder();
  }

  /** Bytes of a plaintext that a datagram has room for from now on: no more than at first. */
  set room(bytes: number) {
    this.#packer.room = Math.min(this.#parts.room, bytes);
  }
  get isOpen(): boolean {
    return this.#connection.state === "open";
  }
  get stats() {
    return this.#connection.stats;
  }

  /**
   * Send the `length` bytes at `at`, which are of `flow`, when it is their turn. False: they are dropped, and counted.
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
    const parts = Math.ceil(length / this.#packer.room);
    const waiting = this.#waiting;
    if (!this.isOpen || waiting.parts > MOST_WAITING || this.#backlog > ALL * this.#queue) {
      this.dropped++;
      return false;
    }
    // All parts of one plaintext have their order.
    const itsFlow = flow === UNORDERED && parts > 1 ? 0 : flow;
    waiting.put(bytes.slice(at, at + length), itsFlow, parts);
    this.#feed(now);
    return true;
  }

  /** Those whose turn it is are on their way. */
  #feed(now: number): void {
    const connection = this.#connection;
    if (!this.isOpen) return;
    this.#departs = now;
    // The longest there is, and what may be left over of another.
    const room = (Math.ceil(LONGEST / this.#packer.room) + 2) * this.#message.length;
    while (connection.backlog < READY * this.#congestion.period && connection.writable >= room) {
      const next = this.#waiting.take();
      if (next === undefined) break;
      const { bytes, flow, first } = next;
      // Who hears of it soonest goes slower soonest: the one that has waited longest.
      if (!first && this.#isTooMuch(now)) this.dropped++;
      else this.#packer.put(bytes, flow, this.#waiting.has(flow));
      if (!this.#waiting.has(this.#packer.waits)) this.#packer.flush();
    }
    if (this.#backlog < STANDING * this.#queue) this.#emptyAt = now;
  }

  /** A plaintext of kind 3 came: `length` bytes at `at`; the IN_FRONT bytes before it are written to. False: it is none. */
  receive(memory: Memory, at: number, length: number, now: number): boolean {
    const { bytes, view } = memory;
    if (length < TRAILER) return false;
    if (!isControl(memory, at, length)) {
      if (!parseTail(memory, at + length - TRAILER, this.#fragment)) return false;
      const tag = tagOf(this.#theirs, this.#own);
      const udt = unwrapData(memory, at, length, tag, this.#connection.id);
      // Late words of a conversation that is over.
      if (udt === 0) return true;
      this.#connection.receive(bytes, at - IN_FRONT, at - IN_FRONT + udt, now);
      this.#read(now);
      return true;
    }
    const trailer = at + length - TRAILER;
    const from = view.getUint32(trailer + FROM_AT);
    const to = view.getUint32(trailer + TO_AT);
    if (from === 0) return false;
    if (from !== this.#theirs) {
      if (from === this.#before) return true; // late words, too
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

  /** Write the next plaintext that is due to `at`, using IN_FRONT bytes before it; its length, 0: none is. */
  poll(now: number, memory: Memory, at: number): number {
    if (this.#connection.state === "broken" || this.#connection.state === "closed") {
      this.#own = this.#parts.random();
      this.#renew(now);
    }
    if (now >= this.#order.wakeAt) this.#order.expire(now);
    this.#sayKept(now);
    this.#feed(now);
    const length = this.#connection.poll(now, memory.bytes, at - IN_FRONT);
    return length === 0 ? 0 : wrap(memory, at, length, this.#own, this.#theirs);
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
    const fragment = this.#fragment;
    const memory = { bytes: message, view: this.#view };
    for (;;) {
      const length = this.#connection.readMessage(message, 0, message.length);
      if (length < 0) return;
      if (length < TAIL || !parseTail(memory, length - TAIL, fragment)) continue;
      this.#order.take(fragment.flow, fragment.number, message.subarray(0, length), now);
    }
  }

  /** How long all that waits takes to leave at the pace of now, µs. */
  get #backlog(): number {
    return this.#connection.backlog + this.#waiting.parts * this.#congestion.period;
  }
  /** What of that may be there always, µs. */
  get #queue(): number {
    return Math.min(LONGEST_QUEUE, Math.max(SHORTEST_QUEUE, this.#connection.leastRtt));
  }

  /** Has so much waited that this packet is to be dropped? */
  #isTooMuch(now: number): boolean {
    const backlog = this.#backlog;
    const queue = this.#queue;
    if (backlog < STANDING * queue) this.#emptyAt = now;
    const stands = now - this.#emptyAt > STANDS * queue;
    if ((!stands && backlog < AT_ONCE * queue) || now < this.#nextDrop) return false;
    this.#nextDrop = now + ANSWER * (2 * this.#connection.leastRtt + backlog + queue);
    return true;
  }

  #renew(now: number): void {
    this.#congestion = this.#parts.congestion();
    this.#connection = this.#begin(now);
    this.#order = this.#newOrder();
    this.#packer.reset();
  }

  #begin(now: number): UdtConnection {
    const { room, random } = this.#parts;
    return new UdtConnection({
      role: "rendezvous",
      kind: "message",
      id: random() || 1,
      initial: random(),
      peerAddress: new Uint8Array(4), // the same for both: there is nothing else on this path
      congestion: this.#congestion,
      mss: room + UDT_AROUND,
      reportReserve: CONTROL_MORE,
      sendPackets: PACKETS,
      receivePackets: PACKETS,
      twice: true,
      now,
    });
  }

  #newOrder(): FlowOrder {
    const { patience, deliver } = this.#parts;
    return new FlowOrder(patience * MS, new Assembly(deliver));
  }
}
