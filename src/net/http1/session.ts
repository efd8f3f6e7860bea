import type { Taker } from "../../wire/http/message.ts";
import type { Guest } from "../fronts/guest.ts";
import { Answering, type Line } from "./answering.ts";
import { Inbox } from "./inbox.ts";
import { Linger, LINGER_MS } from "./linger.ts";
import { Outbox } from "./outbox.ts";
import { readHead } from "./read-head.ts";
import type { Reception } from "./reception.ts";
import type { Transport } from "./transport.ts";

/** Requests that came while one is being answered wait here, up to this many bytes; then reading stops. */
const MAX_WAITING = 64 * 1024;
/** How long a connection that speaks another protocol may be silent. */
const TUNNEL_MS = 3_600_000;

/**
 * One HTTP/1 connection as a conversation: bytes in by `feed`, bytes out through its outbox.
 * Requests are answered in order; a pipelined one waits until the one before is done.
 */
export class Session implements Guest, Line {
  /** When `late` should be called; Infinity while only the handler can be slow. */
  deadline: number;
  /** Idle between requests since; for draining. */
  idleSince: number;
  readonly transport: Transport;
  readonly out: Outbox;
  readonly #front: Reception;
  readonly #answering: Answering;
  readonly #in = new Inbox();
  #processing = false;
  #linger: Linger | undefined;
  #over = false;
  #eof = false;
  #reading = true;
  #wanting = false;
  /** Whom the client speaks to since a 101. */
  #taker: Taker | undefined;
  /** It has enough for now. */
  #held = false;

  constructor(front: Reception, transport: Transport, now: number) {
    this.#front = front;
    this.transport = transport;
    this.out = new Outbox(transport);
    this.#answering = new Answering(this, front);
    this.idleSince = now;
    this.deadline = now + front.limits.headTimeout;
  }

  /** No request in hand, none half read. */
  get idle(): boolean {
    return this.#answering.exchange === undefined && this.#in.length === 0 && this.out.empty;
  }
  get over(): boolean {
    return this.#over;
  }
  get last(): boolean {
    return this.#eof && this.#in.length === 0;
  }

  /** Bytes from the peer; not kept. */
  feed(bytes: Uint8Array, from: number, to: number): void {
    if (this.#over) return;
    if (this.#linger) {
      if (!this.#linger.swallow(to - from)) this.#end();
      return;
    }
    try {
      if (this.#taker !== undefined) return this.#pass(this.#taker, bytes, from, to);
      if (this.#in.length === 0) {
        const used = this.#process(bytes, from, to);
        if (!this.#over && used < to) this.#keep(bytes, used, to);
      } else {
        this.#keep(bytes, from, to);
        this.processKept();
      }
      this.settle();
    } catch (error) {
      this.ourFault(error);
    }
  }

  /** The peer will send no more. What is in hand is still answered. */
  ended(): void {
    this.#eof = true;
    if (this.#linger) return this.#end();
    this.#taker?.finish();
    const { exchange } = this.#answering;
    if (this.#taker === undefined && exchange?.responding && exchange.mount.site.endIsLeaving)
      return this.broken();
    exchange?.body?.broken();
    this.settle();
  }

  /** The connection broke. */
  broken(): void {
    if (this.#over) return;
    this.#over = true;
    this.#answering.broken();
    this.out.drop();
    this.#answering.drained();
    this.transport.abort();
    this.#front.left(this);
  }

  /** There is room for outgoing bytes. */
  writable(): void {
    if (this.#over) return;
    this.deadline = this.#front.now + this.#silence;
    try {
      const done = this.out.pump();
      if (this.out.broken) return this.broken();
      if (done) {
        this.#answering.drained();
        this.goOn();
      }
      this.settle();
    } catch (error) {
      this.ourFault(error);
    }
  }

  /** It costs this connection, and no other. */
  ourFault(error: unknown): void {
    this.#front.trouble(error, this.#answering.exchange?.request);
    this.broken();
  }

  /** The deadline passed. */
  late(): void {
    if (this.#linger || !this.out.empty) return this.broken();
    if (this.#answering.exchange?.body?.waiting) return this.broken();
    if (this.#answering.exchange) {
      this.deadline = Infinity; // the handler's own time
      return;
    }
    if (this.#in.length > 0) {
      this.#answering.refuse(408);
      return this.settle();
    }
    this.#end();
  }

  /** Close if nothing is in hand: the front is draining. */
  leaveIfIdle(): void {
    if (this.idle) this.#end();
  }

  /** Understand what is in `bytes[at, to)`; answers how far it got. */
  #process(bytes: Uint8Array, at: number, to: number): number {
    this.#processing = true;
    const answering = this.#answering;
    while (at < to && !answering.closing && !this.#over) {
      const { exchange } = answering;
      if (exchange !== undefined) {
        const body = exchange.body;
        if (body === undefined || body.ended) break;
        const took = body.push(bytes, at, to);
        at += took;
        this.deadline = this.#front.now + this.#front.limits.bodyTimeout;
        if (body.bad) {
          answering.badBody(exchange);
          break;
        }
        if (body.ended && !exchange.responding) answering.next();
        else if (took === 0) break;
        continue;
      }
      if (!this.out.empty) break;
      const used = readHead(bytes, at, to, this.#front.limits.maxHead);
      if (used === 0) break;
      if (used < 0) {
        at = to;
        answering.refuse(-used);
        break;
      }
      at += used;
      answering.begin(at === to);
    }
    this.#processing = false;
    return at;
  }

  /** Bytes of the other protocol. */
  #pass(taker: Taker, bytes: Uint8Array, from: number, to: number): void {
    this.deadline = this.#front.now + TUNNEL_MS;
    this.#held = !taker.push(bytes, from, to);
    this.settle();
  }

  /** The client's connection speaks another protocol from here on. */
  change(taker: Taker): void {
    this.#taker = taker;
    this.deadline = this.#front.now + TUNNEL_MS;
    taker.whenRoom(() => {
      this.#held = false;
      this.settle();
    });
    const { bytes, length } = this.#in;
    if (bytes !== undefined && length > 0) this.#held = !taker.push(bytes, 0, length);
    this.#in.clear();
    if (this.#eof) taker.finish();
  }

  /** Longest silence of a client that should be taking bytes. */
  get #silence(): number {
    return this.#taker === undefined ? this.#front.limits.bodyTimeout : TUNNEL_MS;
  }

  /** Read on, if nothing is in hand. */
  goOn(): void {
    if (this.#answering.exchange === undefined) this.processKept();
  }

  processKept(): void {
    const { bytes, length } = this.#in;
    if (bytes === undefined || this.#processing || this.#over) return;
    const used = this.#process(bytes, 0, length);
    if (this.#over) return;
    this.#in.take(used);
    if (this.#in.length === 0 || this.#answering.exchange !== undefined || !this.out.empty) return;
    // Half a head that waited for the response before it: its time begins, once.
    const { now, limits } = this.#front;
    this.deadline = Math.min(this.deadline, now + limits.headTimeout);
  }

  #keep(bytes: Uint8Array, from: number, to: number): void {
    if (this.#in.length === 0 && this.#answering.exchange === undefined)
      this.deadline = this.#front.now + this.#front.limits.headTimeout;
    this.#in.add(bytes, from, to);
  }

  /** Bring the socket in line with what the session wants. */
  settle(): void {
    if (this.#over || this.#processing) return;
    this.out.flush(false);
    if (this.out.broken) return this.broken();
    if (
      this.out.empty &&
      this.#answering.exchange === undefined &&
      (this.#answering.closing || this.#eof)
    )
      return this.#leave();
    const wanting = !this.out.empty;
    const reading =
      !this.#eof &&
      !this.#held &&
      (this.#linger !== undefined ||
        (this.#in.length < MAX_WAITING && !(this.#answering.exchange?.body?.full ?? false)));
    if (wanting && !this.#wanting) this.deadline = this.#front.now + this.#silence;
    if (reading !== this.#reading || wanting !== this.#wanting) {
      this.#reading = reading;
      this.#wanting = wanting;
      this.transport.interest(reading, wanting);
    }
    if (wanting && this.out.yielded) this.transport.again();
  }

  /** All is answered and the connection shall end: at once, or when the peer's last bytes are in. */
  #leave(): void {
    if (this.#eof || (this.#in.length === 0 && !this.#answering.unread)) return this.#end();
    this.#in.clear();
    this.#linger = new Linger(this.transport);
    this.deadline = this.#front.now + LINGER_MS;
    this.#reading = true;
    this.#wanting = false;
  }

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    this.transport.close();
    this.#front.left(this);
  }
}
