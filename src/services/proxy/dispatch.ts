/** How one route asks servers: what they are told, and what is made of their answers. */
import { Incoming } from "../../net/http1/incoming.ts";
import type { Pool, Server } from "../../net/pools/pool.ts";
import type { Answer } from "../../net/upstream/exchange.ts";
import { type Outgoing, requestHead } from "../../net/upstream/request-head.ts";
import type { Upstream } from "../../net/upstream/upstream.ts";
import type { Log } from "../../observe/log.ts";
import { limitedBody, limitedStream } from "../../wire/http/limited-body.ts";
import {
  discard,
  type HttpRequest,
  type HttpResponse,
  Later,
  respond,
} from "../../wire/http/message.ts";
import type { Admitted } from "./auth.ts";
import type { Compression } from "./compression.ts";
import type { ErrorPages } from "./error-pages.ts";
import { requestFields, responseFields } from "./fields.ts";
import { type Cancellable, type Errand, Forwarder, type NoAnswer } from "./forwarder.ts";
import type { PoolGuard } from "./pool-guard.ts";
import { HEAD, RequestLines } from "./request-lines.ts";
import { Relayed, ResponseLines } from "./response-lines.ts";
import type { FieldChanges, RouteConfig } from "./route-config.ts";
import type { RouteMeters } from "./route-meters.ts";
import type { Sticky } from "./sticky.ts";
import { authorityOf, targetFor } from "./target.ts";

/** What a client is told who comes when nobody can serve it: come again. Seconds. */
const RETRY_AFTER = "5";

export interface DispatchParts {
  readonly upstream: Upstream;
  readonly log: Log;
  /** Milliseconds that only go forward. */
  readonly now: () => number;
  /** Is this a proxy whose word counts? */
  readonly trusted: (address: string) => boolean;
  readonly guard: (pool: string) => PoolGuard;
  readonly meters: RouteMeters;
  readonly sticky: Sticky;
  readonly pages: ErrorPages | undefined;
  readonly compression: Compression | undefined;
  /** Say who the client is by Forwarded, too. */
  readonly forwarded: boolean;
  /** What we are called in Via. */
  readonly via: string;
}

/** What is asked, and how. */
export interface Question {
  readonly request: HttpRequest;
  readonly pool: Pool;
  /** Changes to the response's fields. */
  readonly changes: FieldChanges;
  readonly admitted: Admitted | undefined;
  /** The whole body, to be sent as often as is needed. */
  readonly held: Uint8Array | undefined;
}

export class Dispatch {
  readonly route: RouteConfig;
  readonly parts: DispatchParts;
  /** Changes to the request's fields. */
  readonly changes: FieldChanges;
  /** Servers see other targets than clients ask for. */
  readonly rewrites: boolean;
  readonly requestLines: RequestLines | undefined;
  /** Where answers go on as they are, without anybody in between who would change them. */
  readonly responseLines: ResponseLines | undefined;

  /** `relays`: nobody behind this makes another response of what it answers. */
  constructor(
    route: RouteConfig,
    changes: { readonly request: FieldChanges; readonly response: FieldChanges },
    parts: DispatchParts,
    relays: boolean,
  ) {
    this.route = route;
    this.parts = parts;
    this.changes = changes.request;
    this.rewrites = route.strip || route.prefix !== undefined;
    if (!parts.forwarded && route.host_header === "client")
      this.requestLines = RequestLines.for(changes.request, parts.via);
    const asIs = (parts.pages ?? parts.compression ?? route.max_response) === undefined;
    if (relays && asIs) this.responseLines = ResponseLines.for(changes.response);
  }

  /** Ask the servers of a pool. */
  ask(question: Question): Later {
    const { request, pool } = question;
    const guard = this.parts.guard(pool.name);
    if (!guard.enter()) {
      const later = new Later();
      later.answer(this.failed({ status: 503, why: `${pool.name} is overloaded` }, request));
      return later;
    }
    const forwarder = new Forwarder(new RoutedErrand(this, question, guard));
    forwarder.begin();
    return forwarder;
  }

  failed({ status, why }: NoAnswer, request: HttpRequest): HttpResponse {
    const { meters, log, pages } = this.parts;
    meters.unanswered(status);
    log.warn("no server answered", { why, host: request.host });
    const response = respond(status, [["Retry-After", RETRY_AFTER]], `${status}\n`);
    return pages?.dress(response, request.method, discard) ?? response;
  }
}

/** One request on its way. */
class RoutedErrand implements Errand {
  readonly request: HttpRequest;
  readonly pool: Pool;
  readonly upstream: Upstream;
  readonly replays: boolean;
  readonly #dispatch: Dispatch;
  readonly #question: Question;
  readonly #guard: PoolGuard;
  readonly #began: number;
  /** The server that the client comes back to, by its cookie. */
  readonly #wanted: string | undefined;

  constructor(dispatch: Dispatch, question: Question, guard: PoolGuard) {
    const { now, sticky, upstream } = dispatch.parts;
    const { request, pool, held } = question;
    this.request = request;
    this.pool = pool;
    this.upstream = upstream;
    this.replays = held !== undefined;
    this.#dispatch = dispatch;
    this.#question = question;
    this.#guard = guard;
    this.#began = now();
    this.#wanted = pool.sticky === "cookie" ? sticky.wanted(request) : undefined;
  }

  get keeper(): ((server: Server) => boolean) | undefined {
    return this.#wanted === undefined ? undefined : (server) => this.#isWanted(server);
  }

  outgoing(server: Server): Outgoing {
    const { request, admitted, held } = this.#question;
    const { route, parts, changes, rewrites, requestLines } = this.#dispatch;
    const { method, contentLength: length } = request;
    let body = request.body;
    if (held !== undefined) body = new Response(held as BodyInit).body ?? undefined;
    else if (route.max_body !== undefined && body !== undefined && length === undefined)
      body = limitedStream(body, route.max_body);
    const target = rewrites ? targetFor(request, route) : undefined;
    const trusted = parts.trusted(request.client.address);
    const plain = admitted === undefined && !trusted && request instanceof Incoming;
    const trailers = body === undefined ? undefined : () => request.trailers?.() ?? [];
    const headEnd = plain ? (requestLines?.write(request, target) ?? 0) : 0;
    if (headEnd > 0)
      return { head: HEAD, headEnd, method, body, length, trailers, readTimeout: route.timeout };
    const head = requestHead({
      method,
      target: target ?? targetFor(request, route),
      headers: requestFields(request, {
        changes: admitted === undefined ? changes : merged(changes, admitted.fields),
        host: hostFor(request, route, server),
        trusted,
        upgrades: route.websocket && asksForChange(request),
        forwarded: parts.forwarded,
        via: parts.via,
      }),
      body,
      length,
    });
    const readTimeout = route.timeout;
    return { head, headEnd: head.length, method, body, length, trailers, readTimeout };
  }

  answered(answer: Answer, server: Server, exchange: Cancellable): HttpResponse {
    const { request, pool, changes } = this.#question;
    const { route, parts, responseLines } = this.#dispatch;
    const { meters, sticky, now, compression, pages } = parts;
    const { status, contentLength } = answer;
    const upstream = { server: server.name, ms: now() - this.#began };
    meters.answered(status, upstream.ms);
    const comesBack = pool.sticky === "cookie";
    const lines = comesBack ? undefined : responseLines?.of(answer.reply, request.method);
    if (lines !== undefined) return new Relayed(status, lines, answer.body(), upstream);

    if (status === 101 && !(route.websocket && asksForChange(request))) {
      exchange.cancel();
      return this.failed({ status: 502, why: "a server changes to a protocol nobody asked for" });
    }
    const most = status === 101 ? undefined : route.max_response;
    if (most !== undefined && (contentLength ?? 0) > most) {
      exchange.cancel();
      return this.failed({ status: 502, why: `an answer of ${contentLength} bytes` });
    }
    const headers = [...responseFields(request.method, answer, changes)];
    if (comesBack && !this.#isWanted(server))
      headers.push(["Set-Cookie", sticky.cookie(pool.name, server, request.secure)]);
    let body = answer.body();
    if (most !== undefined) body = limitedBody(body, most);
    let response: HttpResponse = { status, headers, body, named: true, upstream };
    if (compression !== undefined) response = compression.apply(response, request, contentLength);
    return pages?.dress(response, request.method, discard) ?? response;
  }

  failed(failure: NoAnswer): HttpResponse {
    return this.#dispatch.failed(failure, this.request);
  }

  again(): boolean {
    const may = this.#guard.again();
    if (may) this.#dispatch.parts.meters.again();
    return may;
  }

  connected(tookMs: number): void {
    this.#dispatch.parts.meters.connected(tookMs);
  }

  over(): void {
    this.#guard.leave();
  }

  #isWanted(server: Server): boolean {
    const { sticky } = this.#dispatch.parts;
    return this.#wanted !== undefined && sticky.isFor(this.#wanted, this.pool.name, server);
  }
}

/** Names are the same in any case of letters. */
export function merged(all: FieldChanges, own: FieldChanges): FieldChanges {
  const said = new Set(Object.keys(own).map((name) => name.toLowerCase()));
  const rest = Object.entries(all).filter(([name]) => !said.has(name.toLowerCase()));
  return { ...Object.fromEntries(rest), ...own };
}

/** It may be answered by another protocol: only HTTP/1.1 has that. */
function asksForChange({ protocol, headers, body }: HttpRequest): boolean {
  return protocol === "HTTP/1.1" && body === undefined && headers.has("upgrade");
}

function hostFor(request: HttpRequest, route: RouteConfig, server: Server): string {
  if (route.host_header === "client") return authorityOf(request);
  if (route.host_header !== "server") return route.host_header;
  const host = server.host.includes(":") ? `[${server.host}]` : server.host;
  return `${host}:${server.port}`;
}
