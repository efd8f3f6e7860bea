/** What servers are asked when their answer may be a page with holes, or what fills one. */
import type { Fields, HttpRequest } from "../../../wire/http/message.ts";
import type { Target } from "../../../wire/http/path.ts";
import { CAPABILITY } from "../cache/own-request.ts";
import { authorityOf } from "../target.ts";

/** The page is made anew each time, of plain text: these ask for another answer than that, or for another protocol. */
const DROPPED: ReadonlySet<string> = new Set([
  "accept-encoding",
  "if-match",
  "if-modified-since",
  "if-none-match",
  "if-range",
  "if-unmodified-since",
  "range",
  "upgrade",
  CAPABILITY,
]);
/** https://www.w3.org/TR/edge-arch, 2.1 */
const CAPABLE = 'tern="ESI/1.0"';

/** The page that a GET or HEAD is for, all of it. */
export function forPage(request: HttpRequest): HttpRequest {
  const { method, target, path, query } = request;
  return {
    ...common(request, CAPABLE),
    method,
    target,
    path,
    query,
    interim: (status, fields) => request.interim?.(status, fields),
  };
}

/** What stands elsewhere on the same host, for the same client. `capable`: it may have holes itself. */
export function forFragment(
  request: HttpRequest,
  target: string,
  { path, query }: Target,
  capable: boolean,
): HttpRequest {
  return {
    ...common(request, capable ? CAPABLE : undefined),
    method: "GET",
    target,
    path,
    query,
  };
}

function common(
  request: HttpRequest,
  capable: string | undefined,
): Omit<HttpRequest, "method" | "target" | "path" | "query"> {
  const { client, headers, host, protocol, secure, signal } = request;
  return {
    host,
    authority: authorityOf(request),
    headers: new PlainFields(headers, capable),
    body: undefined,
    contentLength: undefined,
    client: { address: client.address, port: client.port },
    secure,
    protocol,
    signal,
    // Not the request's own: that tells one, and here there are several.
    whenGone: (run) => signal.addEventListener("abort", run, { once: true }),
  };
}

class PlainFields implements Fields {
  readonly #from: Fields;
  readonly #capable: string | undefined;

  constructor(from: Fields, capable: string | undefined) {
    this.#from = from;
    this.#capable = capable;
  }

  get(name: string): string | null {
    const lower = name.toLowerCase();
    if (lower === CAPABILITY) return this.#capable ?? null;
    return DROPPED.has(lower) ? null : this.#from.get(name);
  }

  has(name: string): boolean {
    return this.get(name) !== null;
  }

  forEach(visit: (value: string, name: string) => void): void {
    this.#from.forEach((value, name) => {
      if (!DROPPED.has(name)) visit(value, name);
    });
    if (this.#capable !== undefined) visit(this.#capable, CAPABILITY);
  }
}
