/** GET and HEAD: from a path to the file, listing or redirect that answers it. */
import { UNKNOWN, type ValueClasses } from "../../core/value-classes.ts";
import type { Quick } from "../../net/quick.ts";
import { evaluate } from "../../wire/http/conditional.ts";
import type { Coding } from "../../wire/http/encoding.ts";
import type { HttpRequest, HttpResponse } from "../../wire/http/message.ts";
import { extensionOf } from "../../wire/http/mime.ts";
import { answer, fieldsOf, whole } from "./answer.ts";
import { bake } from "./bake.ts";
import { codingClasses } from "./coding-class.ts";
import type { SiteConfig } from "./config.ts";
import type { EncodedStore } from "./encoded-store.ts";
import { Encodings, identityOf, type Streamed } from "./encodings.ts";
import { type Field, fieldRules, hintsFor } from "./fields.ts";
import { listing } from "./listing.ts";
import type { Origin } from "./origin.ts";
import { QuickTable } from "./quick.ts";
import { encodePath, withQuery } from "./redirects.ts";
import { Resource, type Variant } from "./resource.ts";
import { Shelf } from "./shelf.ts";
import { statusOf } from "./tree.ts";

export interface FilesDeps {
  readonly origin: Origin;
  readonly store: EncodedStore | undefined;
  /** Milliseconds since 1970. */
  readonly wall: () => number;
  /** The operator's fields, for what is no file. */
  readonly fields: readonly Field[];
}

export class Files {
  readonly shelf: Shelf;
  readonly #config: SiteConfig;
  readonly #deps: FilesDeps;
  readonly #encodings: Encodings;
  readonly #classes: ValueClasses;
  readonly #table: QuickTable;

  constructor(config: SiteConfig, deps: FilesDeps) {
    this.#config = config;
    this.#deps = deps;
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
    this.#classes = codingClasses(config.encodings);
    this.#table = new QuickTable(this.#classes);
  }

  /** Answers to what was asked before, made ahead. */
  get quick(): Quick {
    return this.#table.find;
  }
  get quickHits(): number {
    return this.#table.hits;
  }

  /**
   * Answer GET or HEAD. `plain`: the answer depends on nothing but target and Accept-Encoding, so
   * the quick path may give it next time. `now` is a `Clock` time.
   */
  async read(request: HttpRequest, plain: boolean, now: number): Promise<HttpResponse> {
    const { path } = request;
    const found = path.endsWith("/") ? this.#index(path, now) : this.shelf.find(path, now);
    if (found instanceof Resource) {
      // Another index file may come before this one: such an answer has its own time to live.
      const until = found.path === path ? Infinity : now + this.#config.cache.ttl;
      return this.#send(request, found, plain, until);
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
      const { fallback } = this.#config;
      const instead = fallback === null ? undefined : this.shelf.find(fallback, now);
      if (instead instanceof Resource)
        return this.#send(request, instead, plain, now + this.#config.cache.ttl);
      return this.#bare(404);
    }
    return this.#bare(statusOf(found));
  }

  /** All of a file, whatever the request's conditions: for error pages. Undefined when there is none. */
  whole(path: string, headOnly: boolean, now: number): HttpResponse | undefined {
    const found = this.shelf.find(path, now);
    if (!(found instanceof Resource)) return undefined;
    const response = whole(found, identityOf(found), this.#deps.wall(), headOnly);
    found.drop(); // the response holds it by itself
    return response;
  }

  /** The index file of a directory; "directory" when it has none, or is none. */
  #index(path: string, now: number): ReturnType<Shelf["find"]> {
    for (const name of this.#config.index) {
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
    plain: boolean,
    until: number,
  ): Promise<HttpResponse> {
    try {
      const { headers, method } = request;
      const hints = hintsFor(resource.path, this.#config);
      if (hints.length > 0 && method === "GET") request.earlyHints?.(hints);

      const accept = headers.get("accept-encoding");
      const ranged = headers.has("range");
      const chosen = await this.#encodings.choose(resource, accept, ranged);
      if ("open" in chosen) return this.#stream(request, resource, chosen);
      const wall = this.#deps.wall();
      const response = answer(request, resource, chosen, {
        maxRanges: this.#config.limits.ranges,
        wall,
      });
      const usual = response.status === 200 || response.status === 304;
      if (usual && plain && !ranged && hints.length === 0)
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
    if (!resource.alive || !target.startsWith("/")) return;
    const kind = this.#classes.learn(accept);
    if (kind === UNKNOWN) return;
    if (resource.baked[kind]?.variant !== variant) {
      const same = resource.baked.find((baked) => baked?.variant === variant);
      resource.baked[kind] = same ?? bake(resource, variant, wall);
    }
    this.#table.remember(target, resource, until);
  }

  async #list(request: HttpRequest): Promise<HttpResponse | undefined> {
    const { autoindex } = this.#config;
    if (autoindex === false) return undefined;
    const { headers, method, path, query } = request;
    const entries = await this.#deps.origin.list(path);
    if (!entries) return undefined;
    const page = listing(path, entries, { query, accept: headers.get("accept") }, autoindex);
    const bytes = new TextEncoder().encode(page.text);
    const fields: Field[] = [["Content-Type", page.type], ...this.#deps.fields];
    if (page.varies) fields.push(["Vary", "Accept"]);
    if (method === "GET")
      return { status: 200, headers: fields, body: { kind: "pieces", pieces: [bytes] } };
    return {
      status: 200,
      headers: [...fields, ["Content-Length", String(bytes.length)]],
      body: NOTHING,
    };
  }

  #bare(status: number, fields: readonly Field[] = []): HttpResponse {
    return { status, headers: [...fields, ...this.#deps.fields], body: NOTHING };
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
