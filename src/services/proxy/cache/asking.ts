/** What a request is to the cache. */
import { type Directives, parseCacheControl } from "../../../wire/http/caching/cache-control.ts";
import type { Field } from "../../../wire/http/caching/field-list.ts";
import type { RequestField } from "../../../wire/http/caching/vary.ts";
import type { HttpRequest } from "../../../wire/http/message.ts";
import { authorityOf } from "../target.ts";
import type { CacheConfig } from "./config.ts";
import { CAPABILITY } from "./own-request.ts";
import { targetOf, urlKey } from "./target.ts";
import type { Way } from "./way.ts";

/** Methods that change nothing (RFC 9110, 9.2.1): any other one makes what is stored doubtful. */
const SAFE = new Set(["GET", "HEAD", "OPTIONS", "TRACE", "PROPFIND", "REPORT", "SEARCH", "QUERY"]);
/** A range that begins further in than this is not waited for: the server is asked for it alone. */
const NEAR = 1024 * 1024;

export function isSafe(method: string): boolean {
  return SAFE.has(method);
}

/** Why the cache has nothing to do with a GET or HEAD; a token for Cache-Status. */
export function whyAside({ body, headers }: HttpRequest): string | undefined {
  if (body !== undefined) return "body"; // it is in no key
  if (headers.has("upgrade")) return "upgrade";
  // RFC 9111, 4.3.2: conditions for the origin alone.
  if (headers.has("if-match") || headers.has("if-unmodified-since")) return "precondition";
  return undefined;
}

/** It asks for less than the whole, or only whether there is something new. */
export function isPartial({ headers }: HttpRequest): boolean {
  return headers.has("range") || headers.has("if-none-match") || headers.has("if-modified-since");
}

/** It asks for a part that would be long in coming if the whole were fetched. */
export function isFar({ headers }: HttpRequest): boolean {
  const range = headers.get("range");
  if (range === null) return false;
  const [, first] = /^bytes=(\d{1,15})-\d*$/i.exec(range.trim()) ?? [];
  return first === undefined || Number(first) > NEAR;
}

/** The slice that a request for a part begins in, as far as the request alone tells. */
export function sliceOf({ headers }: HttpRequest, size: number): number {
  const [, first] = /^bytes=(\d{1,15})-\d*$/i.exec(headers.get("range")?.trim() ?? "") ?? [];
  return first === undefined ? 0 : Math.floor(Number(first) / size);
}

/** What tells responses apart, as the operator wants it. */
export class Keys {
  readonly #config: Pick<CacheConfig, "key" | "query">;
  readonly #trusted: ((address: string) => boolean) | undefined;

  /** `trusted`: proxies whose word on scheme and host servers hear; undefined when there are none. */
  constructor(
    config: Pick<CacheConfig, "key" | "query">,
    trusted: ((address: string) => boolean) | undefined,
  ) {
    this.#config = config;
    this.#trusted = trusted;
  }

  /** Does it come from a proxy whose word counts? */
  trusts({ client }: HttpRequest): boolean {
    return this.#trusted?.(client.address) === true;
  }

  target(request: HttpRequest): string {
    return targetOf(request, this.#config.query);
  }

  url(request: HttpRequest): string {
    return authorityOf(request) + this.target(request);
  }

  /** `host/path?query`, then a line for whatever else servers are told, or decides who is asked. */
  of(request: HttpRequest, way: Pick<Way, "part">): string {
    let key = this.url(request);
    const { headers } = request;
    if (this.trusts(request))
      for (const name of HANDED_ON) {
        const value = name === "forwarded" ? schemeAndHost(headers.get(name)) : headers.get(name);
        if (value !== null) key += `\n${name}=${value}`;
      }
    for (const part of this.#config.key) key += `\n${part}=${valueOf(part, request)}`;
    return key + way.part(request);
  }
}

/** Fields of proxies before us from which servers make links and redirects, or leave holes for them. */
const HANDED_ON = ["x-forwarded-proto", "x-forwarded-host", "forwarded", CAPABILITY];

/** Of a Forwarded field (RFC 7239) what is not of the client. */
function schemeAndHost(forwarded: string | null): string | null {
  return forwarded?.match(/\b(?:proto|host)=[^;,]*/gi)?.join(";") ?? null;
}

function valueOf(part: string, request: HttpRequest): string {
  if (part === "scheme") return request.secure ? "https" : "http";
  const colon = part.indexOf(":");
  const name = part.slice(colon + 1);
  if (part.startsWith("header:")) return request.headers.get(name) ?? "";
  const cookies = request.headers.get("cookie")?.split(";") ?? [];
  return cookies.find((one) => one.trim().startsWith(`${name}=`))?.trim() ?? "";
}

/** Fields that servers get from us, whatever the client says: they vary by the client, or not at all. */
const OURS = new Set(["via", "x-forwarded-proto", "x-forwarded-host"]);
const BY_CLIENT = new Set(["x-forwarded-for", "x-real-ip", "forwarded"]);

/** The request's fields as Vary means them: as servers see them. */
export function varyField(request: HttpRequest): RequestField {
  return (name) => {
    if (OURS.has(name)) return null; // in the key where it makes a difference
    const value = request.headers.get(name);
    return BY_CLIENT.has(name) ? `${value ?? ""} ${request.client.address}` : value;
  };
}

/** Where else a change may show: of the same host only (RFC 9111, 4.4). */
export function alsoChanged(
  request: HttpRequest,
  fields: readonly Field[],
  query: CacheConfig["query"],
): string[] {
  const authority = authorityOf(request);
  const base = URL.parse(
    `http://${authority}${request.target.startsWith("/") ? request.target : "/"}`,
  );
  if (base === null) return [];
  return fields
    .filter(([name]) => /^(content-)?location$/i.test(name))
    .map(([, value]) => URL.parse(value, base))
    .filter((url) => url !== null && url.host === base.host)
    .map((url) => urlKey(authority + (url?.pathname ?? "") + (url?.search ?? ""), query))
    .filter((key) => key !== undefined);
}

/** What the client says of caching, where that counts. */
export function saidOf(
  { headers }: HttpRequest,
  config: Pick<CacheConfig, "client_control">,
): Directives | undefined {
  if (!config.client_control) return undefined;
  const said = headers.get("cache-control");
  const pragma = said === null && /\bno-cache\b/i.test(headers.get("pragma") ?? "");
  return parseCacheControl(said ?? (pragma ? "no-cache" : ""));
}
