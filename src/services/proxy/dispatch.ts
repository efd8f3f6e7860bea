/** How one route asks servers: what they are told, and what is made of their answers. */
import type { Pool } from "../../net/pools/pool.ts";
import type { Upstream } from "../../net/upstream/upstream.ts";
import type { Log } from "../../observe/log.ts";
import {
  discard,
  type HttpRequest,
  type HttpResponse,
  Later,
  respond,
} from "../../wire/http/message.ts";
import type { Admitted } from "./auth.ts";
import type { Compression } from "./compression.ts";
import type { NoAnswer } from "./errand.ts";
import type { ErrorPages } from "./error-pages.ts";
import { Forwarder } from "./forwarder.ts";
import type { PoolGuard } from "./pool-guard.ts";
import { RequestLines } from "./request-lines.ts";
import { ResponseLines } from "./response-lines.ts";
import type { FieldChanges, RouteConfig } from "./route-config.ts";
import type { RouteMeters } from "./route-meters.ts";
import { RoutedErrand } from "./routed-errand.ts";
import type { Sticky } from "./sticky.ts";

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
    const later: [string, string][] = [];
    if (status === 502 || status === 503 || status === 504) {
      meters.unanswered(status);
      log.warn("no server answered", { why, host: request.host });
      later.push(["Retry-After", RETRY_AFTER]);
    }
    const response = respond(status, later, `${status}\n`);
    return pages?.dress(response, request.method, discard) ?? response;
  }
}
