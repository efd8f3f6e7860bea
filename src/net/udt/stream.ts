import { endOf } from "../../sys/datagram-route.ts";
import { show } from "../../sys/sockaddr.ts";
import type { MessageOptions, UdtEnd, UdtState, UdtStats } from "../../wire/udt/connection.ts";
import { microseconds } from "./endpoint.ts";
import type { Line } from "./line.ts";

/** Whoever waits for room is not woken for less, unless he wants less. */
const ENOUGH_ROOM = 64 * 1024;

/** A connection that ended otherwise than somebody wished. */
export class UdtLost extends Error {
  override name = "UdtLost";
  constructor(
    readonly end: UdtEnd,
    readonly peer: string,
  ) {
    super(`${peer}: ${end === "" ? "not connected" : end}`);
  }
}

interface Waiter {
  readonly done: () => boolean;
  readonly resolve: () => void;
}

/**
 * A UDT connection as programs use it. Reading and writing answer at once when they can, and with a
 * promise when they have to wait: that is the back-pressure. One reads and one writes at a time.
 *
 *     for await (const bytes of stream) await stream.write(bytes);
 *     await stream.end();
 */
export class UdtStream {
  /** `192.0.2.1:9000`. */
  readonly peer: string;
  readonly #line: Line;
  #waiters: Waiter[] = [];

  constructor(line: Line) {
    this.#line = line;
    const end = endOf(line.route);
    this.peer = end === undefined ? "" : show(end);
    line.owner = () => this.#look();
  }

  get state(): UdtState {
    return this.#line.connection.state;
  }
  get stats(): UdtStats {
    return this.#line.connection.stats;
  }
  /** Packets that the peer has not acknowledged. */
  get unacknowledged(): number {
    return this.#line.connection.unacknowledged;
  }

  /** Until hands are shaken; the peer may be gone since. Rejects with UdtLost when they never are. */
  async opened(): Promise<void> {
    await this.#until(() => this.state !== "connecting");
    if (!this.#line.connection.met) throw this.#lost();
  }

  /**
   * Bytes into `into`: how many, at least one unless it is empty, or 0 at the end. A promise when there are
   * none yet. Throws or rejects with UdtLost when the connection broke and all that came was read.
   */
  read(into: Uint8Array): number | Promise<number> {
    const n = this.#readNow(into);
    if (n > 0 || this.#ended || into.length === 0) return n;
    return this.#until(() => this.#line.connection.readable > 0).then(() => this.#readNow(into));
  }

  /** As they come; the end when the peer has closed. Each piece is the reader's own. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array<ArrayBuffer>, void> {
    const buffer = new Uint8Array(new ArrayBuffer(ENOUGH_ROOM));
    for (;;) {
      const n = await this.read(buffer);
      if (n === 0) return;
      yield buffer.slice(0, n);
    }
  }

  /** Undefined when all of it is taken, else a promise of that. Throws or rejects with UdtLost. */
  write(bytes: Uint8Array): undefined | Promise<void> {
    const taken = this.#writeNow(bytes, 0);
    return taken === bytes.length ? undefined : this.#writeRest(bytes, taken);
  }

  /** Undefined when `bytes` of them can be written without a cut, else a promise of that (or of the end). */
  room(bytes: number): undefined | Promise<void> {
    const { connection } = this.#line;
    return connection.writable >= bytes
      ? undefined
      : this.#until(() => connection.writable >= bytes);
  }

  /** The next message into `into`, cut when that is too short: its length, or -1 at the end. */
  readMessage(into: Uint8Array): number | Promise<number> {
    const n = this.#messageNow(into);
    if (n >= 0 || this.#ended) return n;
    return this.#until(() => this.#line.connection.readable >= 0).then(() =>
      this.#messageNow(into),
    );
  }

  /** As `write`. A message goes whole; RangeError when it is longer than the buffer ever holds. */
  sendMessage(bytes: Uint8Array, options: MessageOptions = {}): undefined | Promise<void> {
    return this.#sendNow(bytes, options) ? undefined : this.#sendLater(bytes, options);
  }

  /** Until the peer has all that was written. Rejects with UdtLost when it never will. */
  async delivered(): Promise<void> {
    await this.#until(() => this.unacknowledged === 0);
    if (this.unacknowledged > 0) throw this.#lost();
  }

  /** Deliver what was written, then close. Rejects with UdtLost when it could not be delivered. */
  async end(): Promise<void> {
    this.#line.connection.close(microseconds());
    this.#line.changed();
    await this.#until(() => this.#line.gone);
    if (this.unacknowledged > 0) throw this.#lost();
  }

  /** Close at once, whatever was not delivered. */
  abort(): void {
    this.#line.connection.abort();
    this.#line.changed();
  }

  get #ended(): boolean {
    return this.state === "closed" || this.state === "broken";
  }

  #readNow(into: Uint8Array): number {
    const n = this.#line.connection.read(into, 0, into.length);
    if (n > 0) this.#line.changed();
    else if (this.state === "broken") throw this.#lost();
    return n;
  }

  #messageNow(into: Uint8Array): number {
    const n = this.#line.connection.readMessage(into, 0, into.length);
    if (n >= 0) this.#line.changed();
    else if (this.state === "broken") throw this.#lost();
    return n;
  }

  #writeNow(bytes: Uint8Array, from: number): number {
    this.#mustStand();
    const n = this.#line.connection.send(bytes, from, bytes.length);
    if (n > 0) this.#line.changed();
    return from + n;
  }

  async #writeRest(bytes: Uint8Array, from: number): Promise<void> {
    for (let at = from; at < bytes.length; at = this.#writeNow(bytes, at)) {
      const room = Math.min(ENOUGH_ROOM, bytes.length - at);
      await this.#until(() => this.#line.connection.writable >= room);
    }
  }

  #sendNow(bytes: Uint8Array, options: MessageOptions): boolean {
    this.#mustStand();
    const sent = this.#line.connection.sendMessage(bytes, options, microseconds());
    if (sent) this.#line.changed();
    return sent;
  }

  async #sendLater(bytes: Uint8Array, options: MessageOptions): Promise<void> {
    do await this.#until(() => this.#line.connection.writable >= bytes.length);
    while (!this.#sendNow(bytes, options));
  }

  #mustStand(): void {
    if (this.#ended) throw this.#lost();
  }

  #lost(): UdtLost {
    return new UdtLost(this.#line.connection.end, this.peer);
  }

  /** Until it is so, or never will be any more. */
  #until(done: () => boolean): Promise<void> {
    if (done() || this.#over) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push({ done, resolve }));
  }

  get #over(): boolean {
    return this.#line.gone || this.#ended;
  }

  #look(): void {
    if (this.#waiters.length === 0) return;
    const over = this.#over;
    const waiting = this.#waiters.filter(({ done, resolve }) => {
      if (!done() && !over) return true;
      resolve();
      return false;
    });
    this.#waiters = waiting;
  }
}
