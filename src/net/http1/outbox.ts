import { Copier } from "../../sys/copier.ts";
import { block } from "../../sys/memory.ts";
import { AGAIN, GONE } from "../../sys/socket.ts";
import type { FileSlice } from "../../wire/http/message.ts";
import type { CopySource } from "../quick.ts";
import type { Transport } from "./transport.ts";

/** Responses of one turn are put together here and leave in one call; shared by all sessions of the thread. */
const GATHER = block(256 * 1024).bytes;
/** Bodies from this size are not copied into GATHER. */
const DIRECT = 48 * 1024;
/** Up to so many bytes are copied one by one: what is short is often of an array made just now. */
const BY_HAND = 384;
/** What is longer comes from the one buffer that servers' answers are read into. */
const copier = new Copier();
/** Bytes sent to one peer before its neighbours get their turn. */
const FAIR_SHARE = 4 * 1024 * 1024;

type Sendable =
  | { kind: "bytes"; bytes: Uint8Array; at: number }
  | { kind: "file"; fd: number; offset: number; left: number };
type Waiting = Sendable | { kind: "call"; run: () => void };

let gathered = 0;
/** Whose bytes are gathered: no session's bytes may leave by another's transport. */
const gatherer: { outbox: Outbox | undefined } = { outbox: undefined };

/**
 * What one session has to say, in order. `put…` gathers; `flush` sends, and what the socket does
 * not take waits here, to be pushed on by `pump` when there is room.
 */
export class Outbox {
  readonly #transport: Transport;
  #waiting: Waiting[] = [];
  #broken = false;
  #corked = false;
  /** `pump` stopped so that others get their turn, not for want of room. */
  yielded = false;
  /** Body and head bytes handed to the socket so far. */
  sent = 0;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Nothing waits for the peer. Gathered bytes do not count: flush first. */
  get empty(): boolean {
    return this.#waiting.length === 0;
  }
  get broken(): boolean {
    return this.#broken;
  }

  /** Copy `bytes` behind what is gathered; big ones are sent by reference and must not change. */
  put(bytes: Uint8Array): void {
    const length = bytes.length;
    if (gatherer.outbox !== this) this.#gather();
    if (this.#waiting.length > 0) {
      this.#waiting.push({ kind: "bytes", bytes: length < DIRECT ? bytes.slice() : bytes, at: 0 });
    } else if (length < DIRECT) {
      if (gathered + length > GATHER.length) {
        this.flush(true);
        if (this.#waiting.length > 0) return this.put(bytes);
      }
      GATHER.set(bytes, gathered);
      gathered += length;
    } else {
      this.flush(true);
      this.#push({ kind: "bytes", bytes, at: 0 });
    }
  }

  /** Copy `bytes[from, to)`, which is shorter than DIRECT, behind what is gathered. */
  putRange(bytes: Uint8Array, from: number, to: number): void {
    if (gatherer.outbox !== this) this.#gather();
    if (this.#waiting.length > 0 || gathered + to - from > GATHER.length)
      return this.put(bytes.subarray(from, to));
    if (to - from > BY_HAND) copier.copy(bytes, from, GATHER, gathered, to - from);
    else for (let i = from, at = gathered; i < to; i++, at++) GATHER[at] = bytes[i]!;
    gathered += to - from;
  }

  /** Have a copy made behind what is gathered. */
  putCopy(source: CopySource): void {
    const { length } = source;
    if (gatherer.outbox !== this) this.#gather();
    if (this.#waiting.length === 0 && gathered + length > GATHER.length) this.flush(true);
    if (this.#waiting.length > 0) {
      const bytes = new Uint8Array(new ArrayBuffer(length));
      source.copyTo(bytes, 0);
      this.#waiting.push({ kind: "bytes", bytes, at: 0 });
      return;
    }
    source.copyTo(GATHER, gathered);
    gathered += length;
  }

  /**
   * Send `bytes[from, to)` at once when nothing is before it; they may change as soon as this returns,
   * `lent` ones when nothing waits any more.
   */
  sendNow(bytes: Uint8Array, from: number, to: number, lent = false): void {
    if (gatherer.outbox !== this) this.#gather();
    if (gathered > 0 && this.#waiting.length === 0 && to - from < DIRECT)
      return this.putRange(bytes, from, to);
    this.flush(true);
    if (this.#broken) return;
    let at = from;
    if (this.#waiting.length === 0) {
      const n = this.#transport.write(bytes, at, to, false);
      if (n === GONE) return this.#breakOff();
      at += Math.max(0, n);
      this.sent += at - from;
    }
    if (at === to) return;
    const rest = bytes.subarray(at, to);
    // A Buffer's slice would be a view.
    this.#waiting.push({ kind: "bytes", bytes: lent ? rest : new Uint8Array(rest), at: 0 });
  }

  putFile(slice: FileSlice): void {
    if (slice.length === 0) return;
    this.flush(true);
    this.#push({ kind: "file", fd: slice.fd, offset: slice.offset, left: slice.length });
  }

  /** Call `run` when all before it has been sent, or will never be. */
  afterwards(run: () => void): void {
    this.flush(false);
    if (this.#waiting.length === 0) run();
    else this.#waiting.push({ kind: "call", run });
  }

  /** Until `uncork`, which the same turn must bring, `flush(false)` does nothing. */
  cork(): void {
    this.#corked = true;
  }
  uncork(): void {
    this.#corked = false;
  }

  /** Send what is gathered. `more`: other bytes follow at once. */
  flush(more: boolean): void {
    if (gathered === 0 || gatherer.outbox !== this || (this.#corked && !more)) return;
    const length = gathered;
    gathered = 0;
    if (this.#broken) return;
    let at = 0;
    while (at < length) {
      const n = this.#transport.write(GATHER, at, length, more);
      if (n === AGAIN) break;
      if (n === GONE) return this.#breakOff();
      at += n;
      this.sent += n;
    }
    if (at < length) {
      this.#waiting.push({ kind: "bytes", bytes: GATHER.slice(at, length), at: 0 });
    }
  }

  /** The socket has room: send on. True when nothing waits any more. */
  pump(): boolean {
    let share = FAIR_SHARE;
    let done = 0;
    this.yielded = false;
    while (done < this.#waiting.length && share > 0) {
      const item = this.#waiting[done]!;
      if (item.kind === "call") {
        done++;
        item.run();
        continue;
      }
      const before = this.sent;
      const state = this.#step(item, share);
      share -= this.sent - before;
      if (this.#broken) return true;
      if (state === "waits") break;
      done++;
    }
    if (done > 0) this.#waiting.splice(0, done);
    return this.#waiting.length === 0;
  }

  /** Forget what waits; its calls run, so that files are given back. */
  drop(): void {
    this.#broken = true;
    if (gatherer.outbox === this) gathered = 0;
    const left = this.#waiting;
    this.#waiting = [];
    for (const item of left) if (item.kind === "call") item.run();
  }

  /** From here on it is ours that is gathered; what another left there goes on its way. */
  #gather(): void {
    gatherer.outbox?.flush(true);
    gatherer.outbox = this;
  }

  #push(item: Sendable): void {
    if (this.#broken) return;
    if (this.#step(item, FAIR_SHARE) === "waits" && !this.#broken) this.#waiting.push(item);
  }

  #step(item: Sendable, share: number): "sent" | "waits" {
    const transport = this.#transport;
    let budget = share;
    if (item.kind === "bytes") {
      while (item.at < item.bytes.length) {
        if (budget <= 0) return this.#yield();
        const n = transport.write(item.bytes, item.at, item.bytes.length, false);
        if (n === AGAIN) return "waits";
        if (n === GONE) return this.#gone();
        item.at += n;
        this.sent += n;
        budget -= n;
        if (item.at < item.bytes.length) return "waits"; // it took what it had room for
      }
      return "sent";
    }
    while (item.left > 0) {
      if (budget <= 0) return this.#yield();
      const asked = Math.min(item.left, transport.fileStep);
      const n = transport.sendFile(item.fd, item.offset, asked);
      if (n === AGAIN) return "waits";
      if (n <= 0) return this.#gone(); // the file shrank: the promised length can't be kept
      item.offset += n;
      item.left -= n;
      this.sent += n;
      budget -= n;
      if (n < asked) return "waits";
    }
    return "sent";
  }

  #yield(): "waits" {
    this.yielded = true;
    return "waits";
  }
  #gone(): "sent" {
    this.#breakOff();
    return "sent";
  }
  #breakOff(): void {
    this.drop();
  }
}
