import { compileAccess } from "../../core/cidr.ts";
import { TokenBuckets } from "../../core/token-bucket.ts";
import type { Pools, Server } from "../../net/pools/pool.ts";
import type { Outgoing } from "../../net/upstream/request-head.ts";
import type { Upstream } from "../../net/upstream/upstream.ts";
import type { Log } from "../../observe/log.ts";
import {
  type HttpAnswer,
  type HttpRequest,
  type HttpResponse,
  type Later,
  respond,
} from "../../wire/http/message.ts";
import type { Cache, Way } from "./cache/cache.ts";
import type { FieldChanges, OneProxy, RouteConfig } from "./config.ts";
import { changedFields, requestFields, responseFields } from "./fields.ts";
import { Forwarder, type NoAnswer } from "./forwarder.ts";
import { Routes } from "./routes.ts";
import { authorityOf, originForm, targetFor } from "./target.ts";

/** Clients whose rate is counted; beyond it those silent for longest are forgotten. */
const MAX_CLIENTS = 100_000;
/** What a client is told who comes when nobody can serve it: come again. Seconds. */
const RETRY_AFTER = "5";

export interface ProxyParts {
  readonly pools: Pools;
  /** Connections to servers. */
  readonly upstream: Upstream;
  /** Undefined when nothing is kept. */
  readonly cache: Cache | undefined;
  readonly log: Log;
  /** Milliseconds that only go forward. */
  readonly now: () => number;
}

/** One proxy: which server is asked what, and what comes back. */
export class ProxySite {
  readonly config: OneProxy;
  readonly #parts: ProxyParts;
  readonly #routes: Routes;
  readonly #allowed: (address: string) => boolean;
  readonly #trusted: (address: string) => boolean;
  readonly #buckets: TokenBuckets | undefined;
  /** The proxy's changes with each route's over them. */
  readonly #changes = new Map<RouteConfig, { request: FieldChanges; response: FieldChanges }>();
  readonly #ways = new Map<RouteConfig, Way>();
  forwarded = 0;
  failed = 0;
  refused = 0;

  constructor(config: OneProxy, parts: ProxyParts) {
    this.config = config;
    this.#parts = parts;
    this.#routes = new Routes(config.routes);
    const allow = config.allow.length > 0 ? compileAccess(config.allow) : () => true;
    const deny = compileAccess(config.deny);
    this.#allowed = (address) => allow(address) && !deny(address);
    this.#trusted = compileAccess(config.trust);
    const { limit } = config;
    this.#buckets = limit
      ? new TokenBuckets(limit.rate.perSecond, limit.burst, MAX_CLIENTS)
      : undefined;
    for (const route of config.routes)
      this.#changes.set(route, {
        request: merged(config.headers.request, route.headers.request),
        response: merged(config.headers.response, route.headers.response),
      });
  }

  /** Answer a request: from a server, or why not. Never rejects for what servers do. */
  handle(request: HttpRequest): HttpAnswer {
    const { address } = request.client;
    if (!this.#allowed(address)) return this.#refuse(403);
    const wait = this.#buckets?.take(address, this.#parts.now()) ?? 0;
    if (wait > 0) return this.#refuse(429, [["Retry-After", `${Math.ceil(wait / 1000)}`]]);
    const path = request.path === "*" ? "/" : request.path; // OPTIONS of the whole server
    const route = this.#routes.find(request.host, path, request.method);
    if (route === undefined) return this.#refuse(404);
    if (route.redirect !== undefined) return redirected(request, route.redirect);
    const { cache } = this.#parts;
    if (cache === undefined || !route.cache)
      return this.#forward(request, route, this.#changes.get(route)?.response ?? {});
    const way = this.#wayOf(route);
    const answer = cache.answer(request, way);
    return answer instanceof Promise
      ? answer.then((response) => way.finish(response))
      : way.finish(answer);
  }

  /** How the cache gets at the servers of a route. */
  #wayOf(route: RouteConfig): Way {
    const known = this.#ways.get(route);
    if (known !== undefined) return known;
    const changes = this.#changes.get(route)?.response ?? {};
    const none = Object.keys(changes).length === 0;
    const way: Way = {
      fetch: (request) => this.#forward(request, route, {}),
      finish: (response) =>
        none || response.named !== true
          ? response
          : { ...response, headers: changedFields(response.headers, changes) },
    };
    this.#ways.set(route, way);
    return way;
  }

  /** Ask the servers. `changes`: those to the response's fields; none where it is to be kept as it is. */
  #forward(request: HttpRequest, route: RouteConfig, changes: FieldChanges): Later {
    const { pools, upstream, log } = this.#parts;
    const failed = ({ status, why }: NoAnswer): HttpResponse => {
      this.failed++;
      log.warn("no server answered", { why, host: request.host });
      return respond(status, [["Retry-After", RETRY_AFTER]], `${status}\n`);
    };
    const forwarder = new Forwarder({
      request,
      pool: pools.pool(route.pool ?? ""),
      upstream,
      outgoing: (server) => this.#outgoing(request, route, server),
      answered: (answer, _server, giveUp) => {
        if (answer.status === 101 && !(route.websocket && asksForChange(request))) {
          giveUp();
          return failed({ status: 502, why: "a server changes to a protocol nobody asked for" });
        }
        this.forwarded++;
        return {
          status: answer.status,
          headers: responseFields(request.method, answer, changes),
          body: answer.body(),
          named: true,
        };
      },
      failed,
    });
    forwarder.begin();
    return forwarder;
  }

  #outgoing(request: HttpRequest, route: RouteConfig, server: Server): Outgoing {
    const { method, body, contentLength } = request;
    return {
      method,
      target: targetFor(request, route),
      headers: requestFields(request, {
        changes: this.#changes.get(route)?.request ?? {},
        host: hostFor(request, route, server),
        trusted: this.#trusted(request.client.address),
        upgrades: route.websocket && asksForChange(request),
      }),
      body,
      length: contentLength,
      trailers: request.trailers && (() => request.trailers?.() ?? []),
      readTimeout: route.timeout,
    };
  }

  #refuse(status: number, headers: readonly (readonly [string, string])[] = []): HttpResponse {
    this.refused++;
    return respond(status, headers, `${status}\n`);
  }
}

/** Names are the same in any case of letters. */
function merged(all: FieldChanges, own: FieldChanges): FieldChanges {
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
