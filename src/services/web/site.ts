/** One site: what happens to a request, step by step. Needs no socket; tests call `handle`. */
import type { Clock } from "../../core/clock.ts";
import type { Quick } from "../../net/quick.ts";
import { parseReference } from "../../wire/dav/destination.ts";
import { evaluate } from "../../wire/http/conditional.ts";
import type { Coding } from "../../wire/http/encoding.ts";
import type { HttpRequest, HttpResponse } from "../../wire/http/message.ts";
import { extensionOf } from "../../wire/http/mime.ts";
import { decodeTarget } from "../../wire/http/path.ts";
import { answer, fieldsOf, whole } from "./answer.ts";
import { bake } from "./bake.ts";
import { CodingClasses, UNKNOWN } from "./coding-class.ts";
import type { SiteConfig } from "./config.ts";
import type { Caller, Dav } from "./dav/dav.ts";
import type { EncodedStore } from "./encoded-store.ts";
import { Encodings, identityOf, type Streamed } from "./encodings.ts";
import { errorPage } from "./error-page.ts";
import { type Field, fieldRules, hintsFor } from "./fields.ts";
import { type Guard, makeGuard } from "./guard.ts";
import { listing } from "./listing.ts";
import type { Origin } from "./origin.ts";
import { QuickTable } from "./quick.ts";
import { encodePath, redirectFor, withQuery } from "./redirects.ts";
import { Resource, type Variant } from "./resource.ts";
import { Shelf } from "./shelf.ts";
import { statusOf } from "./tree.ts";

export interface SiteDeps {
  readonly clock: Clock;
  /** Milliseconds since 1970. */
  readonly wall: () => number;
  readonly origin: Origin;
  readonly store: EncodedStore | undefined;
  readonly dav: Dav | undefined;
}

const READ = "GET, HEAD, OPTIONS";
const WRITE = "PUT, DELETE, MKCOL, COPY, MOVE, PROPFIND, PROPPATCH";
/** Methods of WebDAV that work on all beneath their path, or on a second path. */
const WIDE = new Set(["PROPFIND", "DELETE", "COPY", "MOVE", "LOCK", "UNLOCK"]);

/** What the steps before the file have found out. */
interface Visitor {
  readonly user: string | undefined;
  /** The answer depends on nothing but the target and Accept-Encoding. */
  readonly plain: boolean;
}

export class WebSite {
  readonly config: SiteConfig;
  readonly shelf: Shelf;
  readonly #deps: SiteDeps;
  readonly #guard: Guard;
  readonly #encodings: Encodings;
  readonly #classes: CodingClasses;
  readonly #table: QuickTable;
  /** The operator's, for what is no file. */
  readonly #ownFields: readonly Field[];
  readonly #allow: string;

  constructor(config: SiteConfig, deps: SiteDeps) {
    this.config = config;
    this.#deps = deps;
    this.#guard = makeGuard(config);
    const { cache } = config;
    this.shelf = new Shelf(deps.origin, {
      memory: cache.memory,
      openFiles: cache.open_files,
      small: cache.small,
      ttl: cache.ttl,
      fields: fieldRules(config),
      ...codingRules(config),
    });
    this.#encodings = new Encodings(deps.origin, this.shelf, deps.store, cache.small);
    this.#classes = new CodingClasses(config.encodings);
    this.#table = new QuickTable(this.#classes);
    this.#ownFields = fieldRules({ ...config, early_hints: {}, expires: {} })("/").fields;
    this.#allow = deps.dav
      ? `${READ}, ${WRITE}${config.webdav.locks ? ", LOCK, UNLOCK" : ""}`
      : READ;
  }

  /** Answers made ahead; undefined when every request has to be counted against a limit. */
  get quick(): Quick | undefined {
    return this.#guard.limits ? undefined : this.#table.find;
  }
  get quickHits(): number {
    return this.#table.hits;
  }

  async handle(request: HttpRequest): Promise<HttpResponse> {
    const response = await this.#respond(request);
    const bare = response.status >= 400 && response.body.kind === "none";
    return bare ? this.#withPage(request, response) : response;
  }

  async #respond(request: HttpRequest): Promise<HttpResponse> {
    const { method, path } = request;
    const now = this.#deps.clock.now();
    const { address } = request.client;
    const wait = this.#guard.limits ? this.#guard.wait(address, now) : 0;
    if (wait > 0) return this.#bare(429, [["Retry-After", String(Math.ceil(wait / 1000))]]);
    if (path === "*") return this.#bare(200, [["Allow", this.#allow]]);

    const moved = redirectFor(this.config.redirects, path, request.query);
    if (moved) return this.#bare(moved.status, [["Location", moved.location]]);

    const reading = method === "GET" || method === "HEAD";
    const asks = this.#asksForUser(request);
    const login =
      asks || (!reading && this.#guard.challenge)
        ? await this.#guard.user(request, now)
        : "missing";
    const user = typeof login === "object" ? login.user : undefined;
    if (asks && user === undefined) return this.#bare(401, this.#challenge());
    if (reading) {
      const response = await this.#read(request, { user, plain: !asks }, now);
      return user === undefined ? response : { ...response, user };
    }

    const answered = this.#deps.dav?.handle(request, this.#caller(address, user));
    if (answered) {
      const response = await answered;
      const headers = [...response.headers, ...this.#siteFields(response)];
      return { ...response, headers, ...(user === undefined ? {} : { user }) };
    }
    if (method === "OPTIONS") return this.#bare(204, [["Allow", this.#allow]]);
    return this.#bare(405, [["Allow", this.#allow]]);
  }

  /** GET and HEAD. */
  async #read(request: HttpRequest, visitor: Visitor, now: number): Promise<HttpResponse> {
    const { path } = request;
    const found = path.endsWith("/") ? this.#index(path, now) : this.shelf.find(path, now);
    if (found instanceof Resource) {
      // Another index file may come before this one: such an answer has its own time to live.
      const until = found.path === path ? Infinity : now + this.config.cache.ttl;
      return this.#send(request, found, visitor, until);
    }
    if (found === "directory") {
      if (!path.endsWith("/")) {
        const location = withQuery(`${encodePath(path)}/`, request.query);
        return this.#bare(301, [["Location", location]]);
      }
      const list = await this.#list(request);
      if (list) return list;
    }
    if (found === "directory" || found === "missing") {
      const { fallback } = this.config;
      const instead = fallback === null ? undefined : this.shelf.find(fallback, now);
      if (instead instanceof Resource)
        return this.#send(request, instead, visitor, now + this.config.cache.ttl);
      return this.#bare(404);
    }
    return this.#bare(statusOf(found));
  }

  /** The index file of a directory; "directory" when it has none, or is none. */
  #index(path: string, now: number): ReturnType<Shelf["find"]> {
    for (const name of this.config.index) {
      const found = this.shelf.find(path + name, now);
      if (found instanceof Resource || found === "denied" || found === "outside") return found;
      if (found === "hidden") return found;
    }
    return "directory";
  }

  /** Send a held resource, and give it back. */
  async #send(
    request: HttpRequest,
    resource: Resource,
    visitor: Visitor,
    until: number,
  ): Promise<HttpResponse> {
    try {
      const { headers, method } = request;
      const hints = hintsFor(resource.path, this.config);
      if (hints.length > 0 && method === "GET") request.earlyHints?.(hints);

      const accept = headers.get("accept-encoding");
      const ranged = headers.has("range");
      const chosen = await this.#encodings.choose(resource, accept, ranged);
      if ("open" in chosen) return this.#stream(request, resource, chosen);
      const wall = this.#deps.wall();
      const response = answer(request, resource, chosen, {
        maxRanges: this.config.limits.ranges,
        wall,
      });
      const usual = response.status === 200 || response.status === 304;
      if (usual && visitor.plain && !ranged && hints.length === 0)
        this.#remember(request.target, accept, resource, chosen, until, wall);
      return response;
    } finally {
      resource.drop();
    }
  }

  /** A body whose length is not known yet. */
  #stream(request: HttpRequest, resource: Resource, streamed: Streamed): HttpResponse {
    const { headers, method } = request;
    const lastModified = resource.facts.mtimeMs;
    const verdict = evaluate({ method, headers, etag: streamed.etag, lastModified });
    const fields = fieldsOf(resource, streamed, this.#deps.wall()).filter(
      ([name]) => name !== "Accept-Ranges",
    );
    if (verdict === 412) return this.#bare(412);
    if (verdict === 304)
      return {
        status: 304,
        headers: fields.filter(([name]) => name !== "Content-Encoding"),
        body: NOTHING,
      };
    return {
      status: 200,
      headers: [["Content-Type", resource.type], ...fields],
      body: method === "HEAD" ? NOTHING : { kind: "stream", stream: streamed.open() },
    };
  }

  /** Teach the quick path this answer. */
  #remember(
    target: string,
    accept: string | null,
    resource: Resource,
    variant: Variant,
    until: number,
    wall: number,
  ): void {
    if (this.quick === undefined || !resource.alive || !target.startsWith("/")) return;
    const kind = this.#classes.learn(accept);
    if (kind === UNKNOWN) return;
    if (resource.baked[kind]?.variant !== variant) {
      const same = resource.baked.find((baked) => baked?.variant === variant);
      resource.baked[kind] = same ?? bake(resource, variant, wall);
    }
    this.#table.remember(target, resource, until);
  }

  async #list(request: HttpRequest): Promise<HttpResponse | undefined> {
    const { autoindex } = this.config;
    if (autoindex === false) return undefined;
    const { headers, method, path, query } = request;
    const entries = await this.#deps.origin.list(path);
    if (!entries) return undefined;
    const page = listing(path, entries, { query, accept: headers.get("accept") }, autoindex);
    const bytes = new TextEncoder().encode(page.text);
    const fields: Field[] = [["Content-Type", page.type], ...this.#ownFields];
    if (page.varies) fields.push(["Vary", "Accept"]);
    if (method === "GET")
      return { status: 200, headers: fields, body: { kind: "pieces", pieces: [bytes] } };
    return {
      status: 200,
      headers: [...fields, ["Content-Length", String(bytes.length)]],
      body: NOTHING,
    };
  }

  /** An error gets the operator's page for it, or ours. */
  async #withPage(request: HttpRequest, bare: HttpResponse): Promise<HttpResponse> {
    const { error_pages: pages } = this.config;
    const { status } = bare;
    const path = pages[String(status)] ?? pages[`${Math.floor(status / 100)}xx`];
    const headOnly = request.method === "HEAD";
    const found = path === undefined ? undefined : this.shelf.find(path, this.#deps.clock.now());
    if (found instanceof Resource) {
      const page = whole(found, identityOf(found), this.#deps.wall(), headOnly);
      found.drop();
      const kept = page.headers.filter(
        ([name]) => name === "Content-Type" || name === "Content-Length",
      );
      return { ...bare, headers: [...kept, ...bare.headers], body: page.body };
    }
    const bytes = new TextEncoder().encode(errorPage(status));
    const type: Field = ["Content-Type", "text/html; charset=utf-8"];
    if (headOnly)
      return {
        ...bare,
        headers: [type, ["Content-Length", String(bytes.length)], ...bare.headers],
      };
    return { ...bare, headers: [type, ...bare.headers], body: { kind: "pieces", pieces: [bytes] } };
  }

  /** Methods that reach further than their path ask for a user when anything they reach does. */
  #asksForUser(request: HttpRequest): boolean {
    const { headers, method, path } = request;
    if (!WIDE.has(method)) return this.#guard.isProtected(path);
    if (this.#guard.isProtectedTree(path)) return true;
    const destination = parseReference(headers.get("destination"));
    const to = destination && decodeTarget(destination.target)?.path;
    return to !== undefined && this.#guard.isProtectedTree(to);
  }

  #caller(address: string, user: string | undefined): Caller {
    return {
      mayWrite: this.#guard.mayWrite(address, user),
      user,
      challenge:
        this.#guard.hasWritingUsers && user === undefined ? this.#guard.challenge : undefined,
    };
  }

  #challenge(): Field[] {
    const { challenge } = this.#guard;
    return challenge === undefined ? [] : [["WWW-Authenticate", challenge]];
  }

  #bare(status: number, fields: readonly Field[] = []): HttpResponse {
    return { status, headers: [...fields, ...this.#ownFields], body: NOTHING };
  }

  /** The operator's fields that a response does not have by itself. */
  #siteFields(response: HttpResponse): Field[] {
    const own = new Set(response.headers.map(([name]) => name.toLowerCase()));
    return this.#ownFields.filter(([name]) => !own.has(name.toLowerCase()));
  }
}

const NOTHING = { kind: "none" } as const;
const EXTENSIONS: Readonly<Record<string, Coding>> = { gz: "gzip", br: "br", zst: "zstd" };

/** Which codings may be found beside a path, and which may be made of it. */
function codingRules(config: SiteConfig) {
  const { encodings, gzip, precompressed } = config;
  const types = new Set(gzip.types);
  const none: readonly Coding[] = [];
  return {
    sidecars: (path: string) =>
      precompressed && !Object.hasOwn(EXTENSIONS, extensionOf(path)) ? encodings : none,
    codings: (path: string, size: number) =>
      gzip.enabled && size >= gzip.min && size <= gzip.max && types.has(extensionOf(path))
        ? encodings
        : none,
  };
}
