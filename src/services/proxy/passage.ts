/** One route of a proxy, ready for requests: where they go and what comes back. */
import { hashText } from "../../core/schedulers/hash.ts";
import type { Pool, Pools } from "../../net/pools/pool.ts";
import {
  discard,
  type HttpAnswer,
  type HttpRequest,
  type HttpResponse,
  type Later,
  respond,
  settled,
} from "../../wire/http/message.ts";
import type { Admitted, Auth } from "./auth.ts";
import type { Cache } from "./cache/cache.ts";
import type { Way } from "./cache/way.ts";
import type { Cors } from "./cors.ts";
import { Dispatch, type DispatchParts } from "./dispatch.ts";
import { changedFields } from "./fields.ts";
import type { ForwardPools } from "./forward-pool.ts";
import type { FieldChanges, RouteConfig } from "./route-config.ts";
import type { RouteMeters } from "./route-meters.ts";
import type { Split } from "./split.ts";
import { authorityOf, originForm } from "./target.ts";

export interface PassageParts extends DispatchParts {
  readonly pools: Pools;
  /** Undefined where nothing is kept. */
  readonly cache: Cache | undefined;
  readonly auth: Auth | undefined;
  readonly cors: Cors | undefined;
  readonly split: Split | undefined;
  readonly forward: ForwardPools | undefined;
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
  /** Answers may be pages with holes: they are for `Esi` first. */
  readonly expands: boolean;
  readonly #route: RouteConfig;
  readonly #parts: PassageParts;
  readonly #changes: Changes;
  readonly #unchanged: boolean;
  /** For a key: what requests of this route have in common. */
  readonly #when: string;
  readonly #dispatch: Dispatch;

  constructor(route: RouteConfig, changes: Changes, parts: PassageParts) {
    this.host = route.host;
    this.path = route.path;
    this.methods = route.methods;
    this.when = route.when;
    this.meters = parts.meters;
    this.expands = route.esi;
    this.#route = route;
    this.#parts = parts;
    this.#changes = changes;
    this.#unchanged = Object.keys(changes.response).length === 0;
    // By its hash: a value may be a secret, and keys are on disk.
    this.#when = route.when === undefined ? "" : `\nwhen=${hashText(JSON.stringify(route.when))}`;
    const { cache, auth, cors } = parts;
    const relays = !(cache && route.cache) && !route.esi && (auth ?? cors) === undefined;
    this.#dispatch = new Dispatch(route, changes, parts, relays);
  }

  /** Answer a request: from a server, or why not. Never rejects for what servers do. */
  answer(request: HttpRequest): HttpAnswer {
    const { redirect, max_body: most } = this.#route;
    if (redirect !== undefined) return redirected(request, redirect);
    if (most !== undefined && (request.contentLength ?? 0) > most) return this.plain(413);
    const { auth, cors } = this.#parts;
    if (cors !== undefined) return this.#acrossSites(request, cors);
    return auth === undefined ? this.#admitted(request) : this.#guarded(request, auth);
  }

  // What the cache asks.

  part(request: HttpRequest): string {
    const pool = this.#parts.split?.poolFor(request.client.address);
    return pool === undefined ? this.#when : `${this.#when}\npool=${pool}`;
  }

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
    if (request.headers.get("via")?.includes(via)) return this.plain(508);
    const found = await forward.poolFor(authorityOf(request));
    if (!("status" in found))
      return settled(this.#ask(request, found, this.#changes.response, admitted));
    log.debug("not forwarded", { why: found.why });
    return this.plain(found.status);
  }

  #pool(request: HttpRequest): Pool {
    const { pools, split } = this.#parts;
    const name = split?.poolFor(request.client.address) ?? this.#route.pool ?? "";
    return pools.pool(name);
  }

  #ask(
    request: HttpRequest,
    pool: Pool,
    changes: FieldChanges,
    admitted: Admitted | undefined,
    held?: Uint8Array,
  ): Later {
    return this.#dispatch.ask({ request, pool, changes, admitted, held });
  }

  /** Our own word, with this status. */
  plain(status: number): HttpResponse {
    const response = respond(status, [], `${status}\n`);
    return this.#parts.pages?.dress(response, "GET", discard) ?? response;
  }
}

function redirected(
  { target }: HttpRequest,
  { to, status }: { to: string; status: number },
): HttpResponse {
  const rest = originForm(target).slice(1);
  return respond(status, [["Location", to.replace("*", () => rest)]], `${status}\n`);
}
