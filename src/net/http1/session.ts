import type { HttpAnswer, HttpResponse, Taker } from "../../wire/http/message.ts";
import { discard, Later, respond } from "../../wire/http/message.ts";
import type { Guest } from "../fronts/guest.ts";
import type { Mount } from "../fronts/mount.ts";
import type { Prepared } from "../quick.ts";
import { type Exchange, type ExchangeNeeds, keepsOpen, openExchange } from "./exchange.ts";
import { Inbox } from "./inbox.ts";
import { Linger, LINGER_MS } from "./linger.ts";
import { Outbox } from "./outbox.ts";
import { sendQuick } from "./quick-out.ts";
import { head, readHead } from "./read-head.ts";
import type { Reception } from "./reception.ts";
import { type ResponseNeeds, sendInterim, sendRefusal, sendResponse } from "./response-out.ts";
import { framingOf } from "./response-writer.ts";
import type { Transport } from "./transport.ts";

/** Requests that came while one is being answered wait here, up to this many bytes; then reading stops. */
const MAX_WAITING = 64 * 1024;
/** How long a connection that speaks another protocol may be silent. */
const TUNNEL_MS = 3_600_000;

const CONTINUE = new TextEncoder().encode("HTTP/1.1 100 Continue\r\n\r\n");

/**
 * One HTTP/1 connection as a conversation: bytes in by `feed`, bytes out through its outbox.
 * Requests are answered in order; a pipelined one waits until the one before is done.
 */
export class Session implements Guest {
  /** When `late` should be called; Infinity while only the handler can be slow. */
  deadline: number;
  /** Idle between requests since; for draining. */
  idleSince: number;
  readonly #front: Reception;
  readonly #transport: Transport;
  readonly #out: Outbox;
  readonly #in = new Inbox();
  #exchange: Exchange | undefined;
  #processing = false;
  #closing = false;
  #linger: Linger | undefined;
  #over = false;
  #eof = false;
  /** The peer may be sending what we will not read. */
  #unread = false;
  #reading = true;
  #wanting = false;
  #drained: (() => void) | undefined;
  /** Whom the client speaks to since a 101. */
  #taker: Taker | undefined;
  /** It has enough for now. */
  #held = false;
  #needsOfExchange: ExchangeNeeds | undefined;
  #needsOfResponse: ResponseNeeds | undefined;

  constructor(front: Reception, transport: Transport, now: number) {
    this.#front = front;
    this.#transport = transport;
    this.#out = new Outbox(transport);
    this.idleSince = now;
    this.deadline = now + front.limits.headTimeout;
  }

  /** No request in hand, none half read. */
  get idle(): boolean {
    return this.#exchange === undefined && this.#in.length === 0 && this.#out.empty;
  }
  get over(): boolean {
    return this.#over;
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
        this.#processKept();
      }
      this.#settle();
    } catch (error) {
      this.#ourFault(error);
    }
  }

  /** The peer will send no more. What is in hand is still answered. */
  ended(): void {
    this.#eof = true;
    if (this.#linger) return this.#end();
    this.#taker?.finish();
    const exchange = this.#exchange;
    if (this.#taker === undefined && exchange?.responding && exchange.mount.site.endIsLeaving)
      return this.broken();
    exchange?.body?.broken();
    this.#settle();
  }

  /** The connection broke. */
  broken(): void {
    if (this.#over) return;
    this.#over = true;
    const exchange = this.#exchange;
    this.#exchange = undefined;
    exchange?.body?.broken();
    exchange?.request.abort();
    exchange?.flow?.giveUp();
    this.#out.drop();
    this.#drained?.();
    this.#transport.abort();
    this.#front.left(this);
  }

  /** There is room for outgoing bytes. */
  writable(): void {
    if (this.#over) return;
    this.deadline = this.#front.now + this.#silence;
    try {
      const done = this.#out.pump();
      if (this.#out.broken) return this.broken();
      if (done) {
        const drained = this.#drained;
        this.#drained = undefined;
        drained?.();
        this.#goOn();
      }
      this.#settle();
    } catch (error) {
      this.#ourFault(error);
    }
  }

  /** It costs this connection, and no other. */
  #ourFault(error: unknown): void {
    this.#front.trouble(error, this.#exchange?.request);
    this.broken();
  }

  /** The deadline passed. */
  late(): void {
    if (this.#linger || !this.#out.empty) return this.broken();
    if (this.#exchange?.body?.waiting) return this.broken();
    if (this.#exchange) {
      this.deadline = Infinity; // the handler's own time
      return;
    }
    if (this.#in.length > 0) {
      this.#refuse(408);
      return this.#settle();
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
    while (at < to && !this.#closing && !this.#over) {
      const exchange = this.#exchange;
      if (exchange !== undefined) {
        const body = exchange.body;
        if (body === undefined || body.ended) break;
        const took = body.push(bytes, at, to);
        at += took;
        this.deadline = this.#front.now + this.#front.limits.bodyTimeout;
        if (body.bad) {
          this.#badBody(exchange);
          break;
        }
        if (body.ended && !exchange.responding) this.#next();
        else if (took === 0) break;
        continue;
      }
      if (!this.#out.empty) break;
      const used = readHead(bytes, at, to, this.#front.limits.maxHead);
      if (used === 0) break;
      if (used < 0) {
        at = to;
        this.#refuse(-used);
        break;
      }
      at += used;
      this.#begin(at === to);
    }
    this.#processing = false;
    return at;
  }

  /** A request head has been read; `alone`: no byte came behind it. */
  #begin(alone: boolean): void {
    const front = this.#front;
    const mount = front.route(head);
    front.requests++;
    if (mount === undefined) return this.#refuse(421);
    const quick = mount.site.quick;
    if (quick !== undefined && head.contentLength === 0 && head.form !== "authority") {
      const prepared = quick(head, front.now);
      if (prepared !== undefined) return this.#quick(prepared, mount, alone);
    }
    this.#full(mount);
  }

  /** Send a response made ahead. */
  #quick(prepared: Prepared, mount: Mount, alone: boolean): void {
    const keep = head.keepAlive && !this.#front.draining;
    const length = sendQuick(this.#out, prepared, keep, alone, head.isHead);
    mount.count(prepared.status, length, 0);
    if (this.#front.accessLog !== undefined)
      this.#front.logQuick(head, mount, prepared.status, length, this.#transport);
    if (!mount.site.pipelining) this.#out.flush(false);
    if (!keep) this.#closing = true;
    this.idleSince = this.#front.now;
    this.deadline = this.idleSince + mount.site.limits.keepAlive;
  }

  /** Hand the request to the site's handler. */
  #full(mount: Mount): void {
    const exchange = openExchange(head, mount, this.#exchangeNeeds);
    if (typeof exchange === "number") return this.#refuse(exchange);
    this.#exchange = exchange;
    this.deadline = exchange.body ? this.#front.now + mount.site.limits.bodyTimeout : Infinity;
    mount.begin();
    let answer: HttpAnswer;
    try {
      answer = mount.site.handler(exchange.request);
      exchange.request.head = undefined;
    } catch (error) {
      return this.#respond(exchange, this.#failed(exchange, error));
    }
    if (answer instanceof Later)
      return answer.whenAnswered((response) => this.#later(exchange, response));
    if (!(answer instanceof Promise)) return this.#respond(exchange, answer);
    this.#front.nudge();
    answer
      .then(
        (response) => this.#later(exchange, response),
        (error: unknown) => this.#later(exchange, this.#failed(exchange, error)),
      )
      .catch((error: unknown) => this.#ourFault(error));
  }

  #interim(status: number, headers: HttpResponse["headers"]): void {
    if (this.#over || !this.#exchange?.responding) return;
    sendInterim(status, headers, this.#out);
  }

  /** Bytes of the other protocol. */
  #pass(taker: Taker, bytes: Uint8Array, from: number, to: number): void {
    this.deadline = this.#front.now + TUNNEL_MS;
    this.#held = !taker.push(bytes, from, to);
    this.#settle();
  }

  /** The client's connection speaks another protocol from here on. */
  #change(taker: Taker): void {
    this.#taker = taker;
    this.deadline = this.#front.now + TUNNEL_MS;
    taker.whenRoom(() => {
      this.#held = false;
      this.#settle();
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

  #later(exchange: Exchange, response: HttpResponse): void {
    this.#respond(exchange, response);
    this.#goOn();
    this.#settle();
  }

  #failed(exchange: Exchange, error: unknown): HttpResponse {
    this.#front.trouble(error, exchange.request);
    return respond(500, [], "Internal Server Error\n");
  }

  /** Write `response`; the exchange is over when its last byte is out and the body is read. */
  #respond(exchange: Exchange, response: HttpResponse): void {
    if (this.#over || this.#exchange !== exchange) {
      discard(response);
      exchange.mount.end();
      return;
    }
    const { method } = exchange;
    const framing = framingOf(response, method, exchange.minor);
    const last = this.#eof && this.#in.length === 0;
    const keep =
      keepsOpen(exchange, response, framing) && !this.#front.draining && !this.#closing && !last;
    if (!keep) this.#closing = this.#closing || exchange.body === undefined || exchange.body.ended;
    const flow = sendResponse(
      response,
      { framing, method, keep },
      this.#out,
      this.#responseNeeds,
      (bytes) => this.#responded(exchange, response, bytes, keep),
    );
    if (flow !== undefined) exchange.flow = flow;
    if (response.body.kind === "flow" && response.body.taker) this.#change(response.body.taker);
  }

  /** What requests want of their connection: made with its first. */
  get #exchangeNeeds(): ExchangeNeeds {
    return (this.#needsOfExchange ??= {
      transport: this.#transport,
      interim: (status, headers) => this.#interim(status, headers),
      wanted: () => {
        this.#front.nudge();
        this.#processKept();
        this.#settle();
      },
      proceed: () => {
        this.#out.put(CONTINUE);
        this.#out.flush(false);
      },
    });
  }

  /** What responses want of it; likewise. */
  get #responseNeeds(): ResponseNeeds {
    return (this.#needsOfResponse ??= {
      over: () => this.#over,
      room: () => this.#room(),
      whenRoom: (run) => {
        this.#drained = run;
        this.#settle();
      },
      moved: () => this.#settle(),
      streamed: () => {
        this.#goOn();
        this.#settle();
      },
      broken: (error) => this.#ourFault(error),
      cut: () => this.broken(),
    });
  }

  /** Resolves when all that waits is sent, or never will be. */
  #room(): Promise<void> {
    this.#front.nudge();
    return new Promise((resolve) => {
      this.#drained = resolve;
      this.#settle();
    });
  }

  #responded(exchange: Exchange, response: HttpResponse, sent: number, keep: boolean): void {
    const ms = performance.now() - exchange.began;
    exchange.mount.count(response.status, sent, ms / 1000);
    exchange.mount.end();
    this.#front.log(exchange.request, exchange.mount, response, sent, ms);
    if (this.#exchange !== exchange) return;
    exchange.responding = false;
    if (!keep) this.#closing = true;
    if (this.#closing && exchange.body?.ended === false) this.#unread = true;
    exchange.body?.ignore(); // which may swallow the rest of it, and so end the exchange
    if (this.#exchange !== exchange) return;
    if (this.#closing || exchange.body === undefined || exchange.body.ended) this.#next();
  }

  /** The exchange is over. */
  #next(): void {
    this.#exchange = undefined;
    this.idleSince = this.#front.now;
    this.deadline = this.idleSince + this.#front.limits.keepAlive;
  }

  /** The body breaks the rules or is too long: answer if nothing was answered yet. */
  #badBody(exchange: Exchange): void {
    const status = exchange.body?.bad === "too large" ? 413 : 400;
    this.#exchange = undefined;
    exchange.request.abort();
    if (exchange.responding && this.#out.empty) this.#refuse(status);
    else this.broken();
  }

  /** Answer an error that no site is asked about, and close. */
  #refuse(status: number): void {
    sendRefusal(status, this.#out);
    this.#front.refused(status);
    this.#closing = true;
    this.#unread = true;
  }

  /** Read on, if nothing is in hand. */
  #goOn(): void {
    if (this.#exchange === undefined) this.#processKept();
  }

  #processKept(): void {
    const { bytes, length } = this.#in;
    if (bytes === undefined || this.#processing || this.#over) return;
    const used = this.#process(bytes, 0, length);
    if (this.#over) return;
    this.#in.take(used);
    if (this.#in.length === 0 || this.#exchange !== undefined || !this.#out.empty) return;
    // Half a head that waited for the response before it: its time begins, once.
    const { now, limits } = this.#front;
    this.deadline = Math.min(this.deadline, now + limits.headTimeout);
  }

  #keep(bytes: Uint8Array, from: number, to: number): void {
    if (this.#in.length === 0 && this.#exchange === undefined)
      this.deadline = this.#front.now + this.#front.limits.headTimeout;
    this.#in.add(bytes, from, to);
  }

  /** Bring the socket in line with what the session wants. */
  #settle(): void {
    if (this.#over || this.#processing) return;
    this.#out.flush(false);
    if (this.#out.broken) return this.broken();
    if (this.#out.empty && this.#exchange === undefined && (this.#closing || this.#eof))
      return this.#leave();
    const wanting = !this.#out.empty;
    const reading =
      !this.#eof &&
      !this.#held &&
      (this.#linger !== undefined ||
        (this.#in.length < MAX_WAITING && !(this.#exchange?.body?.full ?? false)));
    if (wanting && !this.#wanting) this.deadline = this.#front.now + this.#silence;
    if (reading !== this.#reading || wanting !== this.#wanting) {
      this.#reading = reading;
      this.#wanting = wanting;
      this.#transport.interest(reading, wanting);
    }
    if (wanting && this.#out.yielded) this.#transport.again();
  }

  /** All is answered and the connection shall end: at once, or when the peer's last bytes are in. */
  #leave(): void {
    if (this.#eof || (this.#in.length === 0 && !this.#unread)) return this.#end();
    this.#in.clear();
    this.#linger = new Linger(this.#transport);
    this.deadline = this.#front.now + LINGER_MS;
    this.#reading = true;
    this.#wanting = false;
  }

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#transport.close();
    this.#front.left(this);
  }
}
