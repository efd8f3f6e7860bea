import { Incoming } from "../../net/http1/incoming.ts";
/** One route of a proxy, ready for requests: where they go and what comes back. */
import type { Pool, Pools, Server } from "../../net/pools/pool.ts";
import type { Answer } from "../../net/upstream/exchange.ts";
import { type Outgoing, requestHead } from "../../net/upstream/request-head.ts";
import type { Upstream } from "../../net/upstream/upstream.ts";
import type { Log } from "../../observe/log.ts";
import { limitedBody, limitedStream } from "../../wire/http/limited-body.ts";
import {
  discard,
  type HttpAnswer,
  type HttpRequest,
  type HttpResponse,
  Later,
  respond,
  settled,
} from "../../wire/http/message.ts";
import { type Admitted, type Auth } from "./auth.ts";
import type { Cache, Way } from "./cache/cache.ts";
import type { Compression } from "./compression.ts";
import type { Cors } from "./cors.ts";
import type { ErrorPages } from "./error-pages.ts";
import { changedFields, requestFields, responseFields } from "./fields.ts";
import type { ForwardPools } from "./forward-pool.ts";
import { Forwarder, type NoAnswer } from "./forwarder.ts";
import type { PoolGuard } from "./pool-guard.ts";
import { RequestLines } from "./request-lines.ts";
import { Relayed, ResponseLines } from "./response-lines.ts";
import type { FieldChanges, RouteConfig } from "./route-config.ts";
import type { RouteMeters } from "./route-meters.ts";
import type { Split } from "./split.ts";
import type { Sticky } from "./sticky.ts";
import { authorityOf, originForm, targetFor } from "./target.ts";

/** What a client is told who comes when nobody can serve it: come again. Seconds. */
const RETRY_AFTER = "5";

export interface PassageParts {
  readonly pools: Pools;
  readonly upstream: Upstream;
  /** Undefined where nothing is kept. */
  readonly cache: Cache | undefined;
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
  readonly auth: Auth | undefined;
  readonly cors: Cors | undefined;
  readonly split: Split | undefined;
  readonly forward: ForwardPools | undefined;
  /** Say who the client is by Forwarded, too. */
  readonly forwarded: boolean;
  /** What we are called in Via. */
  readonly via: string;
}

/** The operator's changes to the fields of messages. */
export interface Changes {
  readonly request: FieldChanges;
  readonly response: FieldChanges;
}

const UNCHANGED: FieldChanges = {};

export class Passage implements Way {
  readonly host: string;
  readonly path: string;
  readonly methods: readonly string[];
  readonly when: RouteConfig["when"];
  readonly meters: RouteMeters;
  readonly #route: RouteConfig;
  readonly #parts: PassageParts;
  readonly #changes: Changes;
  readonly #unchanged: boolean;
  /** Answers go on as they are. */
  readonly #relays: boolean;
  /** Servers see other targets than clients ask for. */
  readonly #rewrites: boolean;
  readonly #requestLines: RequestLines | undefined;
  readonly #responseLines: ResponseLines | undefined;

  constructor(route: RouteConfig, changes: Changes, parts: PassageParts) {
    this.host = route.host;
    this.path = route.path;
    this.methods = route.methods;
    this.when = route.when;
    this.meters = parts.meters;
    this.#route = route;
    this.#parts = parts;
    this.#changes = changes;
    this.#unchanged = Object.keys(changes.response).length === 0;
    const { cache, auth, cors, pages, compression, forwarded, via } = parts;
    this.#relays =
      !(cache && route.cache) &&
      (auth ?? cors ?? pages ?? compression ?? route.max_response) === undefined;
    this.#rewrites = route.strip || route.prefix !== undefined;
    if (!forwarded && route.host_header === "client")
      this.#requestLines = RequestLines.for(changes.request, via);
    this.#responseLines = ResponseLines.for(changes.response);
  }

  /** Answer a request: from a server, or why not. Never rejects for what servers do. */
  answer(request: HttpRequest): HttpAnswer {
    const { redirect, max_body: most } = this.#route;
    if (redirect !== undefined) return redirected(request, redirect);
    const { auth, cors } = this.#parts;
    if (cors !== undefined) return this.#acrossSites(request, cors);
    if (most !== undefined && (request.contentLength ?? 0) > most) return this.#plain(413);
    return auth === undefined ? this.#admitted(request) : this.#guarded(request, auth);
  }

  // What the cache asks.

  /** As servers say it, without those fields that the operator changes. */
  fetch(request: HttpRequest): Later {
    return this.#ask(request, this.#pool(request), UNCHANGED, undefined);
  }

  finish(response: HttpResponse): HttpResponse {
    if (this.#unchanged || response.named !== true) return response;
    return { ...response, headers: changedFields(response.headers, this.#changes.response) };
  }

  async #acrossSites(request: HttpRequest, cors: Cors): Promise<HttpResponse> {
    const { auth } = this.#parts;
    const ahead = cors.preflight(request);
    if (ahead !== undefined) return ahead;
    const answer = auth === undefined ? this.#admitted(request) : this.#guarded(request, auth);
    return cors.tell(request, await settled(answer));
  }

  async #guarded(request: HttpRequest, auth: Auth): Promise<HttpResponse> {
    const admitted = await auth.admit(request);
    if ("status" in admitted) return admitted;
    const { user } = admitted;
    const answer = await settled(this.#forward(request, admitted));
    return user === undefined ? answer : { ...answer, user };
  }

  /** What needs no word of anybody may be answered from the cache. */
  #admitted(request: HttpRequest): HttpAnswer {
    const { cache, forward } = this.#parts;
    if (cache === undefined || !this.#route.cache || forward !== undefined)
      return this.#forward(request, undefined);
    const pool = this.#pool(request);
    // Its cookie is for one client.
    if (pool.sticky === "cookie") return this.#forward(request, undefined);
    const answer = cache.answer(request, this);
    return answer instanceof Promise
      ? answer.then((response) => this.finish(response))
      : this.finish(answer);
  }

  #forward(request: HttpRequest, admitted: Admitted | undefined): HttpAnswer {
    const { forward } = this.#parts;
    const { response } = this.#changes;
    const { retry_body: held } = this.#route;
    const { body, contentLength } = request;
    if (forward !== undefined) return this.#across(request, forward, admitted);
    const pool = this.#pool(request);
    if (held === 0 || body === undefined || (contentLength ?? Infinity) > held)
      return this.#ask(request, pool, response, admitted);
    return new Response(body)
      .bytes()
      .then((bytes) => settled(this.#ask(request, pool, response, admitted, bytes)));
  }

  /** To the host that was asked for. */
  async #across(
    request: HttpRequest,
    forward: ForwardPools,
    admitted: Admitted | undefined,
  ): Promise<HttpResponse> {
    const { via, log } = this.#parts;
    if (request.headers.get("via")?.includes(via)) return this.#plain(508);
    const found = await forward.poolFor(authorityOf(request));
    if (!("status" in found))
      return settled(this.#ask(request, found, this.#changes.response, admitted));
    log.debug("not forwarded", { why: found.why });
    return this.#plain(found.status);
  }

  #pool(request: HttpRequest): Pool {
    const { pools, split } = this.#parts;
    const name = split?.poolFor(request.client.address) ?? this.#route.pool ?? "";
    return pools.pool(name);
  }

  /** Ask the servers of a pool. `held`: the whole body, to be sent as often as is needed. */
  #ask(
    request: HttpRequest,
    pool: Pool,
    changes: FieldChanges,
    admitted: Admitted | undefined,
    held?: Uint8Array,
  ): Later {
    const { upstream, meters, now, sticky } = this.#parts;
    const guard = this.#parts.guard(pool.name);
    if (!guard.enter())
      return told(this.#failed({ status: 503, why: `${pool.name} is overloaded` }, request));
    const began = now();
    const wanted = pool.sticky === "cookie" ? sticky.wanted(request) : undefined;
    const forwarder = new Forwarder({
      request,
      pool,
      upstream,
      replays: held !== undefined,
      keeper:
        wanted === undefined ? undefined : (server) => sticky.isFor(wanted, pool.name, server),
      outgoing: (server) => this.#outgoing(request, server, admitted, held),
      answered: (answer, server, giveUp) => {
        const took = now() - began;
        meters.answered(answer.status, took);
        const lines =
          this.#relays && pool.sticky !== "cookie"
            ? this.#responseLines?.of(answer.reply, request.method)
            : undefined;
        if (lines !== undefined)
          return new Relayed(answer.status, lines, answer.body(), {
            server: server.name,
            ms: took,
          });
        const response = this.#answered(answer, request, changes, giveUp);
        const upstreamFigures = { server: server.name, ms: took };
        if (pool.sticky !== "cookie") return { ...response, upstream: upstreamFigures };
        if (wanted !== undefined && sticky.isFor(wanted, pool.name, server))
          return { ...response, upstream: upstreamFigures };
        const cookie = ["Set-Cookie", sticky.cookie(pool.name, server, request.secure)] as const;
        return { ...response, headers: [...response.headers, cookie], upstream: upstreamFigures };
      },
      failed: (failure) => this.#failed(failure, request),
      again: () => {
        const may = guard.again();
        if (may) meters.again();
        return may;
      },
      connected: (ms) => meters.connected(ms),
      over: () => guard.leave(),
    });
    forwarder.begin();
    return forwarder;
  }

  #answered(
    answer: Answer,
    request: HttpRequest,
    changes: FieldChanges,
    giveUp: () => void,
  ): HttpResponse {
    const { status, contentLength } = answer;
    const { max_response: most, websocket } = this.#route;
    const { compression, pages } = this.#parts;
    if (status === 101 && !(websocket && asksForChange(request))) {
      giveUp();
      const why = "a server changes to a protocol nobody asked for";
      return this.#failed({ status: 502, why }, request);
    }
    if (most !== undefined && status !== 101 && (contentLength ?? 0) > most) {
      giveUp();
      return this.#failed({ status: 502, why: `an answer of ${contentLength} bytes` }, request);
    }
    const headers = responseFields(request.method, answer, changes);
    let body = answer.body();
    if (most !== undefined && status !== 101) body = limitedBody(body, most);
    let response: HttpResponse = { status, headers, body, named: true };
    if (compression !== undefined) response = compression.apply(response, request, contentLength);
    return pages === undefined || status < 400
      ? response
      : pages.dress(response, request.method, discard);
  }

  #outgoing(
    request: HttpRequest,
    server: Server,
    admitted: Admitted | undefined,
    held: Uint8Array | undefined,
  ): Outgoing {
    const { method, contentLength } = request;
    const { websocket, timeout, max_body: most } = this.#route;
    const { trusted, forwarded, via } = this.#parts;
    const changes = this.#changes.request;
    let body =
      held === undefined ? request.body : (new Response(held as BodyInit).body ?? undefined);
    if (most !== undefined && body !== undefined && contentLength === undefined)
      body = limitedStream(body, most);
    const target = this.#rewrites ? targetFor(request, this.#route) : undefined;
    const isTrusted = trusted(request.client.address);
    const quick = admitted === undefined && !isTrusted && request instanceof Incoming;
    const lines = quick ? this.#requestLines?.write(request, target) : undefined;
    const head =
      lines ??
      requestHead({
        method,
        target: target ?? targetFor(request, this.#route),
        headers: requestFields(request, {
          changes: admitted === undefined ? changes : merged(changes, admitted.fields),
          host: hostFor(request, this.#route, server),
          trusted: isTrusted,
          upgrades: websocket && asksForChange(request),
          forwarded,
          via,
        }),
        body,
        length: contentLength,
      });
    return {
      head,
      method,
      body,
      length: contentLength,
      trailers: request.trailers && (() => request.trailers?.() ?? []),
      readTimeout: timeout,
    };
  }

  #failed({ status, why }: NoAnswer, request: HttpRequest): HttpResponse {
    const { meters, log, pages } = this.#parts;
    meters.unanswered(status);
    log.warn("no server answered", { why, host: request.host });
    const response = respond(status, [["Retry-After", RETRY_AFTER]], `${status}\n`);
    return pages?.dress(response, request.method, discard) ?? response;
  }

  #plain(status: number): HttpResponse {
    const response = respond(status, [], `${status}\n`);
    return this.#parts.pages?.dress(response, "GET", discard) ?? response;
  }
}

function told(response: HttpResponse): Later {
  const later = new Later();
  later.answer(response);
  return later;
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

function redirected(
  { target }: HttpRequest,
  { to, status }: { to: string; status: number },
): HttpResponse {
  const rest = originForm(target).slice(1);
  return respond(status, [["Location", to.replace("*", () => rest)]], `${status}\n`);
}
