import type { Field } from "../../../wire/http/caching/field-list.ts";
import { acceptedCodings } from "../../../wire/http/caching/vary.ts";
import type { Fields, HttpRequest } from "../../../wire/http/message.ts";
import { authorityOf } from "../target.ts";

/** What the client asks of its own copy: the cache asks for the whole, and answers these itself. */
const OF_THE_CLIENT = [
  "range",
  "if-range",
  "if-match",
  "if-none-match",
  "if-modified-since",
  "if-unmodified-since",
];

/** What a client says of caching: for us, and where clients do not decide, for nobody. */
const OF_CACHING = ["cache-control", "pragma"];

/**
 * Fields by which some servers take another URL, method or host than was asked for. They are in
 * no key, so that one stranger could choose what all others get: they are not passed on.
 * https://portswigger.net/research/practical-web-cache-poisoning
 */
const MISLEADING = [
  "x-original-url",
  "x-original-uri",
  "x-rewrite-url",
  "x-original-host",
  "x-host",
  "x-http-host-override",
  "x-forwarded-server",
  "x-forwarded-port",
  "x-forwarded-prefix",
  "x-forwarded-path",
  "x-forwarded-scheme",
  "x-forwarded-ssl",
  "x-url-scheme",
  "x-scheme",
  "front-end-https",
  "x-http-method",
  "x-http-method-override",
  "x-method-override",
  "x-middleware-prefetch",
  "x-middleware-subrequest",
];

/**
 * For whom servers may leave holes in a page (https://www.w3.org/TR/edge-arch, 2.1): one stranger's word would leave
 * them to all others, who cannot fill them.
 */
export const CAPABILITY = "surrogate-capability";

/** What the cache asks a server for, on behalf of a client or behind its back. */
export interface Wish {
  /** Normalised. */
  readonly target: string;
  /** Clients may say how new a response has to be: what they say is passed on. */
  readonly clientControl: boolean;
  /** Somebody fills holes in pages: what is said of that is passed on. */
  readonly fills: boolean;
  /** The client has its answer already: nothing more is said to it. */
  readonly behind: boolean;
  /** Fields to add: the validators of what is stored. */
  readonly validators: readonly Field[];
}

/**
 * The request for a response that many will get: a GET for the whole, made of what one client
 * asked for. It goes on when that client leaves.
 */
export function ownRequest(request: HttpRequest, wish: Wish): HttpRequest {
  return {
    ...ownFields(request, wish),
    signal: NEVER.signal,
    whenGone: () => {},
    interim: (status, fields) => {
      if (!wish.behind) request.interim?.(status, fields);
    },
  };
}

/** The same for a client that gets it as it comes, and with which it ends. */
export function ownFields(request: HttpRequest, wish: Wish): HttpRequest {
  const { client, host, path, secure, protocol, headers, signal } = request;
  const query = wish.target.indexOf("?");
  return {
    method: "GET",
    target: wish.target,
    path,
    query: query < 0 ? "" : wish.target.slice(query + 1),
    host,
    authority: authorityOf(request),
    headers: new OwnFields(headers, wish),
    body: undefined,
    contentLength: undefined,
    client: { address: client.address, port: client.port },
    secure,
    protocol,
    signal,
    whenGone: (gone) => request.whenGone(gone),
    interim: (status, fields) => request.interim?.(status, fields),
  };
}

/** Whoever asks stays. */
const NEVER = new AbortController();
const DROPPED: ReadonlySet<string> = new Set([...OF_THE_CLIENT, ...MISLEADING]);
const ALL_DROPPED: ReadonlySet<string> = new Set([...DROPPED, ...OF_CACHING]);

class OwnFields implements Fields {
  readonly #from: Fields;
  readonly #dropped: ReadonlySet<string>;
  readonly #added: readonly Field[];
  /** Codings beyond those that requests are told apart by would reach those who cannot read them. */
  readonly #accept: string | undefined;
  readonly #fills: boolean;

  constructor(from: Fields, { clientControl, fills, validators }: Wish) {
    this.#from = from;
    this.#fills = fills;
    this.#dropped = clientControl ? DROPPED : ALL_DROPPED;
    this.#added = validators;
    const accept = from.get("accept-encoding");
    this.#accept = accept === null ? undefined : acceptedCodings(accept).join(", ") || "identity";
  }

  get(name: string): string | null {
    const lower = name.toLowerCase();
    const added = this.#added.find(([known]) => known.toLowerCase() === lower);
    if (added !== undefined) return added[1];
    if (this.#isDropped(lower)) return null;
    if (lower === "accept-encoding") return this.#accept ?? null;
    return this.#from.get(name);
  }

  has(name: string): boolean {
    return this.get(name) !== null;
  }

  forEach(visit: (value: string, name: string) => void): void {
    this.#from.forEach((value, name) => {
      if (!this.#isDropped(name) && name !== "accept-encoding") visit(value, name);
    });
    if (this.#accept !== undefined) visit(this.#accept, "accept-encoding");
    for (const [name, value] of this.#added) visit(value, name.toLowerCase());
  }

  #isDropped(name: string): boolean {
    return this.#dropped.has(name) || (name === CAPABILITY && !this.#fills);
  }
}
