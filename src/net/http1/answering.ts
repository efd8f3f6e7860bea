import type { HttpAnswer, HttpResponse, Taker } from "../../wire/http/message.ts";
import { discard, Later, respond } from "../../wire/http/message.ts";
import type { Mount } from "../fronts/mount.ts";
import type { Prepared } from "../quick.ts";
import { type Exchange, type ExchangeNeeds, keepsOpen, openExchange } from "./exchange.ts";
import type { Outbox } from "./outbox.ts";
import { sendQuick } from "./quick-out.ts";
import { head } from "./read-head.ts";
import type { Reception } from "./reception.ts";
import {
  type ResponseNeeds,
  sendBody,
  sendHead,
  sendInterim,
  sendRefusal,
} from "./response-out.ts";
import { framingOf } from "./response-writer.ts";
import type { Transport } from "./transport.ts";

const CONTINUE = new TextEncoder().encode("HTTP/1.1 100 Continue\r\n\r\n");

/** What requests and responses want of the connection that they are on. */
export interface Line {
  readonly transport: Transport;
  readonly out: Outbox;
  /** When its `late` is due, in the reactor's time; Infinity while only the handler can be slow. */
  deadline: number;
  /** Nothing in hand since. */
  idleSince: number;
  /** It is gone. */
  readonly over: boolean;
  /** The peer has sent its FIN, and nothing waits to be read. */
  readonly last: boolean;
  /** Read on in what came already. */
  processKept(): void;
  /** As `processKept`, if no request is in hand. */
  goOn(): void;
  /** Bytes, or the wish for them, changed outside of its own turn. */
  settle(): void;
  /** Something of ours threw: it costs this connection. */
  ourFault(error: unknown): void;
  /** Break it off. */
  broken(): void;
  /** It speaks another protocol from here on. */
  change(taker: Taker): void;
}

/** The request that a connection has in hand, if any, and its response. */
export class Answering {
  /** The one in hand. */
  exchange: Exchange | undefined;
  /** No request is read behind this one. */
  closing = false;
  /** The peer may be sending what we will not read. */
  unread = false;
  readonly #line: Line;
  readonly #front: Reception;
  #drained: (() => void) | undefined;
  #needsOfExchange: ExchangeNeeds | undefined;
  #needsOfResponse: ResponseNeeds | undefined;
  /** The last one that was begun: no other is before it is answered, and all of the answer sent. */
  #last: Exchange | undefined;
  /** Made with the first answer that is not there at once. */
  #told: ((response: HttpResponse) => void) | undefined;
  /** Made with the first answer. */
  #finished: (() => void) | undefined;

  constructor(line: Line, front: Reception) {
    this.#line = line;
    this.#front = front;
  }

  /** A request head has been read; `alone`: no byte came behind it. */
  begin(alone: boolean): void {
    const front = this.#front;
    const mount = front.route(head);
    front.requests++;
    if (mount === undefined) return this.refuse(421);
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
    const length = sendQuick(this.#line.out, prepared, keep, alone, head.isHead);
    mount.count(prepared.status, length, 0);
    if (this.#front.accessLog !== undefined)
      this.#front.logQuick(head, mount, prepared.status, length, this.#line.transport);
    if (!mount.site.pipelining) this.#line.out.flush(false);
    if (!keep) this.closing = true;
    this.#line.idleSince = this.#front.now;
    this.#line.deadline = this.#line.idleSince + mount.site.limits.keepAlive;
  }

  /** Hand the request to the site's handler. */
  #full(mount: Mount): void {
    const exchange = openExchange(head, mount, this.#exchangeNeeds);
    if (typeof exchange === "number") return this.refuse(exchange);
    this.exchange = exchange;
    this.#last = exchange;
    this.#line.deadline = exchange.body
      ? this.#front.now + mount.site.limits.bodyTimeout
      : Infinity;
    mount.begin();
    let answer: HttpAnswer;
    try {
      answer = mount.site.handler(exchange.request);
      exchange.request.head = undefined;
    } catch (error) {
      return this.#respond(exchange, this.#failed(exchange, error));
    }
    if (answer instanceof Later)
      return answer.whenAnswered((this.#told ??= (response) => this.#lastAnswered(response)));
    if (!(answer instanceof Promise)) return this.#respond(exchange, answer);
    this.#front.nudge();
    answer
      .then(
        (response) => this.#later(exchange, response),
        (error: unknown) => this.#later(exchange, this.#failed(exchange, error)),
      )
      .catch((error: unknown) => this.#line.ourFault(error));
  }

  #interim(status: number, headers: HttpResponse["headers"]): void {
    if (this.#line.over || !this.exchange?.responding) return;
    sendInterim(status, headers, this.#line.out);
  }

  /** Told of no promise: nothing is made for each request. */
  #lastAnswered(response: HttpResponse): void {
    if (this.#last !== undefined) this.#later(this.#last, response);
  }

  #later(exchange: Exchange, response: HttpResponse): void {
    this.#respond(exchange, response);
    this.#line.goOn();
    this.#line.settle();
  }

  #failed(exchange: Exchange, error: unknown): HttpResponse {
    this.#front.trouble(error, exchange.request);
    return respond(500, [], "Internal Server Error\n");
  }

  /** Write `response`; the exchange is over when its last byte is out and the body is read. */
  #respond(exchange: Exchange, response: HttpResponse): void {
    if (this.#line.over || this.exchange !== exchange) {
      discard(response);
      exchange.mount.end();
      return;
    }
    const { method } = exchange;
    const framing = framingOf(response, method, exchange.minor);
    const keep =
      keepsOpen(exchange, response, framing) &&
      !this.#front.draining &&
      !this.closing &&
      !this.#line.last;
    if (!keep) this.closing = this.closing || exchange.body === undefined || exchange.body.ended;
    const { out } = this.#line;
    exchange.response = response;
    exchange.kept = keep;
    exchange.bodyFrom = out.sent + sendHead(response, framing, keep, out);
    this.#finished ??= () => this.#lastFinished();
    const flow = sendBody(response, { framing, method }, out, this.#responseNeeds, this.#finished);
    if (flow !== undefined) exchange.flow = flow;
    if (response.body.kind === "flow" && response.body.taker)
      this.#line.change(response.body.taker);
  }

  #lastFinished(): void {
    const exchange = this.#last;
    if (exchange?.response !== undefined) this.#responded(exchange, exchange.response);
  }

  #responded(exchange: Exchange, response: HttpResponse): void {
    const sent = Math.max(0, this.#line.out.sent - exchange.bodyFrom);
    const ms = performance.now() - exchange.began;
    exchange.mount.count(response.status, sent, ms / 1000);
    exchange.mount.end();
    this.#front.log(exchange.request, exchange.mount, response, sent, ms);
    if (this.exchange !== exchange) return;
    exchange.responding = false;
    if (!exchange.kept) this.closing = true;
    if (this.closing && exchange.body?.ended === false) this.unread = true;
    exchange.body?.ignore(); // which may swallow the rest of it, and so end the exchange
    if (this.exchange !== exchange) return;
    if (this.closing || exchange.body === undefined || exchange.body.ended) this.next();
  }

  /** The body breaks the rules or is too long: answer if nothing was answered yet. */
  badBody(exchange: Exchange): void {
    const status = exchange.body?.bad === "too large" ? 413 : 400;
    this.exchange = undefined;
    exchange.request.abort();
    if (exchange.responding && this.#line.out.empty) this.refuse(status);
    else this.#line.broken();
  }

  /** Answer an error that no site is asked about, and close. */
  refuse(status: number): void {
    sendRefusal(status, this.#line.out);
    this.#front.refused(status);
    this.closing = true;
    this.unread = true;
  }

  /** The exchange is over. */
  next(): void {
    this.exchange = undefined;
    this.#line.idleSince = this.#front.now;
    this.#line.deadline = this.#line.idleSince + this.#front.limits.keepAlive;
  }

  /** What requests want of their connection: made with its first. */
  get #exchangeNeeds(): ExchangeNeeds {
    return (this.#needsOfExchange ??= {
      transport: this.#line.transport,
      interim: (status, headers) => this.#interim(status, headers),
      wanted: () => {
        this.#front.nudge();
        this.#line.processKept();
        this.#line.settle();
      },
      proceed: () => {
        this.#line.out.put(CONTINUE);
        this.#line.out.flush(false);
      },
    });
  }

  /** What responses want of it; likewise. */
  get #responseNeeds(): ResponseNeeds {
    return (this.#needsOfResponse ??= {
      over: () => this.#line.over,
      room: () => this.#room(),
      whenRoom: (run) => {
        this.#drained = run;
        this.#line.settle();
      },
      moved: () => this.#line.settle(),
      streamed: () => {
        this.#line.goOn();
        this.#line.settle();
      },
      broken: (error) => this.#line.ourFault(error),
      cut: () => this.#line.broken(),
    });
  }

  /** Resolves when all that waits is sent, or never will be. */
  #room(): Promise<void> {
    this.#front.nudge();
    return new Promise((resolve) => {
      this.#drained = resolve;
      this.#line.settle();
    });
  }

  /** All that waited is sent. */
  drained(): void {
    const run = this.#drained;
    this.#drained = undefined;
    run?.();
  }

  /** The connection broke: the request, and whoever fills its response, are told. */
  broken(): void {
    const { exchange } = this;
    this.exchange = undefined;
    exchange?.body?.broken();
    exchange?.request.abort();
    exchange?.flow?.giveUp();
  }
}
