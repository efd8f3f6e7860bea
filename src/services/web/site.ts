/** One site: what happens to a request, step by step. Needs no socket; tests call `handle`. */
import type { Clock } from "../../core/clock.ts";
import type { Quick } from "../../net/quick.ts";
import { parseReference } from "../../wire/dav/destination.ts";
import type { HttpRequest, HttpResponse } from "../../wire/http/message.ts";
import { decodeTarget } from "../../wire/http/path.ts";
import type { SiteConfig } from "./config.ts";
import type { Caller, Dav } from "./dav/dav.ts";
import type { EncodedStore } from "./encoded-store.ts";
import { errorPage } from "./error-page.ts";
import { type Field, fieldRules } from "./fields.ts";
import { Files } from "./files.ts";
import { type Guard, makeGuard } from "./guard.ts";
import type { Origin } from "./origin.ts";
import { redirectFor } from "./redirects.ts";
import type { Shelf } from "./shelf.ts";

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
const LOCK = "LOCK, UNLOCK";
/** Methods of WebDAV that work on all beneath their path, or on a second path. */
const WIDE = new Set(["PROPFIND", "DELETE", "COPY", "MOVE", "LOCK", "UNLOCK"]);

export class WebSite {
  readonly config: SiteConfig;
  readonly #deps: SiteDeps;
  readonly #guard: Guard;
  readonly #files: Files;
  /** The operator's, for what is no file. */
  readonly #fields: readonly Field[];
  readonly #allow: readonly Field[];

  constructor(config: SiteConfig, deps: SiteDeps) {
    this.config = config;
    this.#deps = deps;
    this.#guard = makeGuard(config);
    this.#fields = fieldRules({ ...config, early_hints: {}, expires: {} })("/").fields;
    this.#files = new Files(config, { ...deps, fields: this.#fields });
    const methods = deps.dav ? [READ, WRITE, ...(config.webdav.locks ? [LOCK] : [])] : [READ];
    this.#allow = [["Allow", methods.join(", ")]];
  }

  get shelf(): Shelf {
    return this.#files.shelf;
  }
  /** Answers made ahead; undefined when every request has to be counted against a limit. */
  get quick(): Quick | undefined {
    return this.#guard.limits ? undefined : this.#files.quick;
  }
  get quickHits(): number {
    return this.#files.quickHits;
  }

  async handle(request: HttpRequest): Promise<HttpResponse> {
    const now = this.#deps.clock.now();
    try {
      const response = await this.#respond(request, now);
      const bare = response.status >= 400 && response.body.kind === "none";
      return bare ? await this.#withPage(request, response, now) : response;
    } catch (error) {
      if (!isShortage(error)) throw error;
      return this.#bare(503, [["Retry-After", "1"]]);
    }
  }

  async #respond(request: HttpRequest, now: number): Promise<HttpResponse> {
    const { method, path } = request;
    const wait = this.#guard.limits ? this.#guard.wait(request.client.address, now) : 0;
    if (wait > 0) return this.#bare(429, [["Retry-After", String(Math.ceil(wait / 1000))]]);
    if (path === "*") return this.#bare(200, this.#allow);

    const moved = redirectFor(this.config.redirects, path, request.query);
    if (moved) return this.#bare(moved.status, [["Location", moved.location]]);

    const reading = method === "GET" || method === "HEAD";
    const asks = this.#asksForUser(request);
    const user = asks || !reading ? await this.#user(request, now) : undefined;
    if (asks && user === undefined) return this.#bare(401, this.#challenge());

    const response = reading
      ? await this.#files.read(request, !asks, now)
      : await this.#otherMethod(request, user);
    return user === undefined ? response : { ...response, user };
  }

  async #otherMethod(request: HttpRequest, user: string | undefined): Promise<HttpResponse> {
    const answered = this.#deps.dav?.handle(request, this.#caller(request, user));
    if (!answered) return this.#bare(request.method === "OPTIONS" ? 204 : 405, this.#allow);
    const response = await answered;
    const own = new Set(response.headers.map(([name]) => name.toLowerCase()));
    const more = this.#fields.filter(([name]) => !own.has(name.toLowerCase()));
    return { ...response, headers: [...response.headers, ...more] };
  }

  async #user(request: HttpRequest, now: number): Promise<string | undefined> {
    if (this.#guard.challenge === undefined) return undefined;
    const login = await this.#guard.user(request, now);
    return typeof login === "object" ? login.user : undefined;
  }

  /** An error gets the operator's page for it, or ours. */
  async #withPage(request: HttpRequest, bare: HttpResponse, now: number): Promise<HttpResponse> {
    const { error_pages: pages } = this.config;
    const { status } = bare;
    const path = pages[String(status)] ?? pages[`${Math.floor(status / 100)}xx`];
    const headOnly = request.method === "HEAD";
    const own = path === undefined ? undefined : this.#files.whole(path, headOnly, now);
    if (own) {
      const kept = own.headers.filter(([name]) => OF_THE_PAGE.has(name));
      return { ...bare, headers: [...kept, ...bare.headers], body: own.body };
    }
    const bytes = new TextEncoder().encode(errorPage(status));
    const type: Field = ["Content-Type", "text/html; charset=utf-8"];
    if (headOnly) {
      const length: Field = ["Content-Length", String(bytes.length)];
      return { ...bare, headers: [type, length, ...bare.headers] };
    }
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

  #caller(request: HttpRequest, user: string | undefined): Caller {
    return {
      mayWrite: this.#guard.mayWrite(request.client.address, user),
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
    return { status, headers: [...fields, ...this.#fields], body: { kind: "none" } };
  }
}

/** Out of open files or memory: nobody's fault, and over when others have left. */
function isShortage(error: unknown): boolean {
  return /^(EMFILE|ENFILE|ENOMEM)$/.test((error as NodeJS.ErrnoException | null)?.code ?? "");
}

/** Fields of an error page that an error takes over: its validators are not the error's. */
const OF_THE_PAGE = new Set(["Content-Type", "Content-Length"]);
