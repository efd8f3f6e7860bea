import { Incoming } from "../../net/http1/incoming.ts";
import type { Pool, Server } from "../../net/pools/pool.ts";
import type { Answer } from "../../net/upstream/answer.ts";
import { type Outgoing, requestHead } from "../../net/upstream/request-head.ts";
import type { Upstream } from "../../net/upstream/upstream.ts";
import { limitedBody, limitedStream } from "../../wire/http/limited-body.ts";
import { discard, type HttpRequest, type HttpResponse } from "../../wire/http/message.ts";
import { protocolsOf } from "./change.ts";
import type { Dispatch, Question } from "./dispatch.ts";
import type { Cancellable, Errand, NoAnswer } from "./errand.ts";
import { requestFields, responseFields } from "./fields.ts";
import { merged } from "./merged.ts";
import type { PoolGuard } from "./pool-guard.ts";
import { HEAD } from "./request-lines.ts";
import { Relayed } from "./response-lines.ts";
import type { RouteConfig } from "./route-config.ts";
import { authorityOf, targetFor } from "./target.ts";

/** One request on its way. */
export class RoutedErrand implements Errand {
  readonly #dispatch: Dispatch;
  readonly #question: Question;
  readonly #guard: PoolGuard;
  readonly #began: number;
  /** When it has to be over. */
  readonly #until: number;
  /** The server that the client comes back to, by its cookie. */
  readonly #wanted: string | undefined;

  constructor(dispatch: Dispatch, question: Question, guard: PoolGuard) {
    const { now, sticky } = dispatch.parts;
    const { request, pool } = question;
    this.#dispatch = dispatch;
    this.#question = question;
    this.#guard = guard;
    this.#began = now();
    const { total_timeout: total } = dispatch.route;
    this.#until = total > 0 ? this.#began + total : Infinity;
    this.#wanted = pool.sticky === "cookie" ? sticky.wanted(request) : undefined;
  }

  get request(): HttpRequest {
    return this.#question.request;
  }
  get pool(): Pool {
    return this.#question.pool;
  }
  get upstream(): Upstream {
    return this.#dispatch.parts.upstream;
  }
  get replays(): boolean {
    return this.#question.held !== undefined;
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
    const readTimeout = route.timeout;
    const until = this.#until;
    if (headEnd > 0)
      return { head: HEAD, headEnd, method, body, length, trailers, readTimeout, until };
    const head = requestHead({
      method,
      target: target ?? targetFor(request, route),
      headers: requestFields(request, {
        changes: admitted === undefined ? changes : merged(changes, admitted.fields),
        host: hostFor(request, route, server),
        trusted,
        change: route.websocket ? protocolsOf(request) : null,
        forwarded: parts.forwarded,
        via: parts.via,
      }),
      body,
      length,
    });
    return { head, headEnd: head.length, method, body, length, trailers, readTimeout, until };
  }

  answered(answer: Answer, server: Server, exchange: Cancellable): HttpResponse {
    const { request, pool, changes } = this.#question;
    const { route, parts, responseLines } = this.#dispatch;
    const { meters, sticky, now, compression, pages } = parts;
    const { status, contentLength } = answer;
    const ms = now() - this.#began;
    meters.answered(status, ms);
    const comesBack = pool.sticky === "cookie";
    const lines = comesBack ? -1 : (responseLines?.of(answer.reply, request.method) ?? -1);
    if (lines >= 0) return new Relayed(status, lines, answer.body(), server.name, ms);

    if (status === 101 && !(route.websocket && protocolsOf(request) !== null)) {
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
    const upstream = { server: server.name, ms };
    let response: HttpResponse = { status, headers, body, named: true, upstream };
    if (compression !== undefined) response = compression.apply(response, request, contentLength);
    return pages?.dress(response, request.method, discard) ?? response;
  }

  failed(failure: NoAnswer): HttpResponse {
    return this.#dispatch.failed(failure, this.request);
  }

  again(): boolean {
    const { now, meters } = this.#dispatch.parts;
    const may = now() < this.#until && this.#guard.again();
    if (may) meters.again();
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

function hostFor(request: HttpRequest, route: RouteConfig, server: Server): string {
  if (route.host_header === "client") return authorityOf(request);
  if (route.host_header !== "server") return route.host_header;
  const host = server.host.includes(":") ? `[${server.host}]` : server.host;
  return `${host}:${server.port}`;
}
