import type { HttpResponse } from "../../wire/http/message.ts";
import type { Head } from "../../wire/http1/head.ts";
import type { Mount } from "../fronts/mount.ts";
import type { FlowOut } from "./flow-out.ts";
import { Incoming } from "./incoming.ts";
import { type ReadTarget, targetIn } from "./interned.ts";
import { RequestBody } from "./request-body.ts";
import type { Framing } from "./response-writer.ts";
import type { Transport } from "./transport.ts";

/** How much of an unread request body is swallowed to keep a connection. */
export const MAX_SWALLOWED = 256 * 1024;

/** A request in hand, until its response is out and its body is in. */
export interface Exchange {
  readonly request: Incoming;
  readonly mount: Mount;
  readonly body: RequestBody | undefined;
  readonly method: string;
  /** Of HTTP/1.x. */
  readonly minor: number;
  /** The client wants the connection kept. */
  readonly keep: boolean;
  /** performance.now() at the head's end. */
  readonly began: number;
  responding: boolean;
  /** What it is answered, from then on. */
  response: HttpResponse | undefined;
  /** The connection goes on behind that. */
  kept: boolean;
  /** `sent` of the outbox when the body begins. */
  bodyFrom: number;
  /** The body that is going out. */
  flow: FlowOut | undefined;
}

/** What an exchange needs of its session. */
export interface ExchangeNeeds {
  readonly transport: Transport;
  /** Send a 1xx. */
  interim(status: number, headers: HttpResponse["headers"]): void;
  /** The handler wants more of the body than is here. */
  wanted(): void;
  /** Send a 100. */
  proceed(): void;
}

const ASTERISK: ReadTarget = { sent: "*", read: { path: "*", query: "", host: "" } };

/** The request that `head` begins, or the status to refuse it with. */
export function openExchange(head: Head, mount: Mount, needs: ExchangeNeeds): Exchange | number {
  const { maxBody } = mount.site.limits;
  if (head.form === "authority") return 400;
  const { sent, read: decoded } =
    head.form === "asterisk"
      ? ASTERISK
      : targetIn(head.bytes, head.pathStart, head.targetEnd, mount.site.pathsForOthers === true);
  if (decoded === undefined) return 400;
  if (head.contentLength > maxBody) return 413;
  const body =
    head.contentLength === 0
      ? undefined
      : new RequestBody(head.chunked ? undefined : head.contentLength, maxBody, {
          wanted: () => needs.wanted(),
          firstAsked: head.expectContinue ? () => needs.proceed() : undefined,
        });
  const target = head.form === "absolute" ? head.text(head.targetStart, head.targetEnd) : sent;
  const request = new Incoming(head, target, decoded, body, needs);
  return {
    request,
    mount,
    body,
    method: request.method,
    minor: head.minor,
    keep: head.keepAlive,
    began: performance.now(),
    responding: true,
    response: undefined,
    kept: false,
    bodyFrom: 0,
    flow: undefined,
  };
}

/** May the connection go on behind `response`? */
export function keepsOpen(exchange: Exchange, response: HttpResponse, framing: Framing): boolean {
  if (!exchange.keep || response.close === true || framing.kind === "close") return false;
  return exchange.body === undefined || exchange.body.canSwallow(MAX_SWALLOWED);
}
