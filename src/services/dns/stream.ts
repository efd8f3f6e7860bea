/** DNS over a byte stream (RFC 7766): each message behind its length, answers in the order they are ready. */
import { AGAIN } from "../../sys/socket.ts";
import { type Answerer, TRANSFER, type Transfer, type Via } from "./via.ts";

/** The length in front of every message. */
const PREFIX = 2;
/** The longest message there is. */
export const MAX_MESSAGE = 0xffff;
/** Shorter is no DNS message: whoever sends it speaks something else. */
const MIN_MESSAGE = 12;
/** Messages of a transfer before other connections get their turn. */
const TRANSFER_STEP = 8;
/** What is sent must be taken by then: slower readers hold memory for nothing. Milliseconds. */
const SLOW_MS = 30_000;

/** All streams of the thread write their answers here first; empty between two calls. */
const OUT = new Uint8Array(new ArrayBuffer(2 * (PREFIX + MAX_MESSAGE)));
const NOTHING = new Uint8Array(0);

/** The byte stream under a conversation. Counts as in sys/socket.ts. */
export interface Wire {
  /** Bytes taken, maybe fewer; AGAIN; GONE. */
  write(bytes: Uint8Array, from: number, to: number): number;
  /** What to be told of: incoming bytes, room for outgoing ones. */
  interest(reading: boolean, writing: boolean): void;
  /** All is said. The conversation is not called again. */
  close(): void;
  /** Something is wrong: end it at once. */
  abort(): void;
}

/** One connection's conversation: bytes in by `feed`, bytes out through its wire. */
export class DnsStream {
  readonly #wire: Wire;
  readonly #via: Via;
  readonly #answerer: () => Answerer | undefined;
  /** A message that has begun, or more that wait while the client is slow. */
  #input = NOTHING;
  #filled = 0;
  /** What the wire did not take yet. */
  #output = NOTHING;
  #transfer: Transfer | undefined;
  #ending = false;
  #over = false;
  /** When the last whole message came, or the last answer went. */
  #last: number;
  #stuckSince = Infinity;

  /** `via` is the stream's own; `answerer` is asked for each message, a reload may change it. */
  constructor(wire: Wire, via: Via, answerer: () => Answerer | undefined) {
    this.#wire = wire;
    this.#via = via;
    this.#answerer = answerer;
    this.#last = via.now;
  }

  /** Nothing in hand: it may be closed without losing anything. */
  get idle(): boolean {
    return this.#filled === 0 && this.#output.length === 0 && this.#transfer === undefined;
  }

  /** When it is to be ended if nothing more happens, given how long a client may be idle. */
  deadline(idleMs: number): number {
    const stuck = this.#stuckSince + SLOW_MS;
    return this.#output.length > 0 || this.#transfer !== undefined ? stuck : this.#last + idleMs;
  }

  /** Bytes came. What is not a whole message yet is kept: a byte now and then keeps nothing alive. */
  feed(bytes: Uint8Array, from: number, to: number, now: number, wall: number): void {
    if (this.#over) return;
    this.#via.now = now;
    this.#via.wall = wall;
    if (this.#filled === 0 && this.#free) {
      const done = this.#run(bytes, from, to);
      if (!this.#over) this.#keep(bytes, done, to);
      return;
    }
    this.#keep(bytes, from, to);
    this.#resume();
  }

  /** The wire has room again. */
  writable(now: number, wall: number): void {
    if (this.#over) return;
    this.#via.now = now;
    this.#via.wall = wall;
    if (this.#output.length > 0) {
      const rest = this.#output;
      this.#output = NOTHING;
      this.#send(rest, 0, rest.length);
    }
    if (this.#transfer !== undefined && this.#output.length === 0 && !this.#over) this.#pump();
    this.#resume();
  }

  /** The client says no more; what it has asked is still answered. */
  ended(): void {
    if (this.#over) return;
    this.#ending = true;
    this.#wire.interest(false, !this.#free);
    this.#finish();
  }

  /** The wire is gone, or is to go. */
  gone(): void {
    this.#over = true;
    this.#transfer = undefined;
    this.#input = this.#output = NOTHING;
    this.#filled = 0;
  }

  /** May the next message be answered? */
  get #free(): boolean {
    return this.#output.length === 0 && this.#transfer === undefined;
  }

  /** Go on with what waits. */
  #resume(): void {
    if (this.#over || !this.#free) return;
    if (this.#filled > 0) {
      const done = this.#run(this.#input, 0, this.#filled);
      if (this.#over) return;
      this.#input.copyWithin(0, done, this.#filled);
      this.#filled -= done;
      if (this.#filled === 0) this.#input = NOTHING;
    }
    if (this.#free && !this.#ending) this.#wire.interest(true, false);
    this.#finish();
  }

  #finish(): void {
    if (!this.#ending || !this.#free || this.#over) return;
    this.#over = true;
    this.#wire.close();
  }

  #fail(): number {
    this.gone();
    this.#wire.abort();
    return 0;
  }

  /** Answer the whole messages between `from` and `to`; where the first that is not begins. */
  #run(bytes: Uint8Array, from: number, to: number): number {
    const via = this.#via;
    let at = from;
    let filled = 0;
    while (to - at >= PREFIX) {
      const length = ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
      if (length < MIN_MESSAGE) return this.#fail();
      const end = at + PREFIX + length;
      if (end > to) break;
      if (filled + PREFIX + MAX_MESSAGE > OUT.length) {
        this.#send(OUT, 0, filled);
        filled = 0;
        if (this.#over || !this.#free) return at;
      }
      const answerer = this.#answerer();
      if (answerer === undefined) return this.#fail();
      via.room = MAX_MESSAGE;
      const answer = answerer.respond(bytes, at + PREFIX, end, via, OUT, filled + PREFIX);
      this.#last = via.now;
      at = end;
      if (answer === TRANSFER) {
        const transfer = answerer.transfer();
        this.#send(OUT, 0, filled);
        if (this.#over) return at;
        this.#transfer = transfer;
        this.#stuckSince = via.now;
        if (this.#output.length === 0) this.#pump();
        return at;
      }
      if (answer > 0) filled = framed(filled, answer);
    }
    this.#send(OUT, 0, filled);
    return at;
  }

  /** Some more messages of a transfer. */
  #pump(): void {
    for (let i = 0; i < TRANSFER_STEP; i++) {
      const length = this.#transfer?.next(OUT, PREFIX) ?? 0;
      this.#last = this.#stuckSince = this.#via.now;
      if (length === 0) {
        this.#transfer = undefined;
        return;
      }
      this.#send(OUT, 0, framed(0, length));
      if (this.#over || this.#output.length > 0) return;
    }
    this.#wire.interest(false, true);
  }

  /** Hand bytes to the wire; what it does not take waits, and so do the client's messages. */
  #send(bytes: Uint8Array, from: number, to: number): void {
    let at = from;
    while (at < to) {
      const taken = this.#wire.write(bytes, at, to);
      if (taken === AGAIN) break;
      if (taken < 0) return void this.#fail();
      at += taken;
    }
    if (at === to) {
      this.#stuckSince = Infinity;
      return;
    }
    this.#output = bytes.slice(at, to);
    if (this.#stuckSince === Infinity) this.#stuckSince = this.#via.now;
    this.#wire.interest(false, true);
  }

  #keep(bytes: Uint8Array, from: number, to: number): void {
    const more = to - from;
    if (more === 0) return;
    if (this.#filled + more > this.#input.length) {
      const grown = new Uint8Array(Math.max(2 * this.#input.length, this.#filled + more));
      grown.set(this.#input.subarray(0, this.#filled));
      this.#input = grown;
    }
    this.#input.set(bytes.subarray(from, to), this.#filled);
    this.#filled += more;
    if (!this.#free) this.#wire.interest(false, true);
  }
}

/** Write the length in front of the answer at `at`; where the next may begin. */
function framed(at: number, length: number): number {
  OUT[at] = length >>> 8;
  OUT[at + 1] = length;
  return at + PREFIX + length;
}
