/** What is asked of a WebDAV server, and how its answers are told from its troubles. */
import type { Upstream } from "../../../net/upstream/upstream.ts";
import type { DirectAnswer } from "./direct-answer.ts";
import { Direct } from "./direct.ts";
import { DOCUMENT_MS, drop, MAX_DOCUMENT, wholeOf } from "./http-reading.ts";
import { MemberError, STALL_MS, type Trouble, within } from "./member.ts";

const TROUBLES: Readonly<Record<number, Trouble>> = {
  401: "refused",
  403: "refused",
  405: "refused",
  409: "conflict",
  413: "refused",
  414: "too-long",
  423: "refused",
  507: "full",
};
/** What is answered by one. */
const LISTS = new Set(["PROPFIND", "GET"]);

/** What goes with a request. */
export interface Asking {
  /** It takes as long as its body does. */
  readonly patient?: boolean;
  readonly headers?: Record<string, string>;
  readonly signal?: AbortSignal | undefined;
  readonly body?: Uint8Array | ReadableStream<Uint8Array> | string;
  /** Bytes of a stream. */
  readonly size?: number | undefined;
}

export class DavRequests {
  /** The server's URL, without a slash at its end, and without a password. */
  readonly where: string;
  /** Path of its root, escaped, without a slash at its end. */
  readonly #base: string;
  readonly #authorization: string | undefined;
  readonly #closing = new AbortController();
  /** Undefined where it speaks TLS, or nobody keeps connections: `fetch` asks it. */
  readonly #direct: Direct | undefined;

  /** `base`: a URL without a path, or with one and without its last slash. `upstream` keeps connections. */
  constructor(base: string, upstream?: Upstream) {
    const url = new URL(base);
    const { username, password } = url;
    url.username = "";
    url.password = "";
    this.where = url.href.replace(/\/+$/, "");
    this.#base = url.pathname.replace(/\/+$/, "");
    if (upstream !== undefined && url.protocol === "http:")
      this.#direct = new Direct(upstream, url);
    if (username !== "") {
      const words = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
      this.#authorization = `Basic ${Buffer.from(words).toString("base64")}`;
    }
  }

  /** Nobody wants what is under way, or asks for more. */
  close(): void {
    this.#closing.abort();
    this.#direct?.close();
  }

  /**
   * How to GET `at`, its body still to come; undefined: there is only `ask`. Rejects with a `MemberError`
   * without an answer.
   */
  getter(
    at: string,
    signal?: AbortSignal,
  ): ((headers: Record<string, string>) => Promise<DirectAnswer>) | undefined {
    const direct = this.#direct;
    if (direct === undefined) return undefined;
    const target = this.#target(at);
    return (headers) => {
      const asked = direct.ask({ method: "GET", target, headers: this.#with(headers) }, signal);
      return this.#inWords("GET", at, asked);
    };
  }

  /** The answer; a body that is no list may be gone already. Rejects with a `MemberError`. */
  async ask(
    method: string,
    at: string,
    { patient = false, headers = {}, signal, body, size }: Asking = {},
  ): Promise<Response> {
    if (this.#direct !== undefined) {
      const sent = typeof body === "string" ? new TextEncoder().encode(body) : body;
      const request = {
        method,
        target: this.#target(at),
        headers: this.#with(headers),
        body: sent,
        size,
      };
      const asked = this.#inWords(method, at, this.#direct.ask(request, signal));
      return responseOf(method, await asked);
    }
    const signals = [this.#closing.signal, ...(signal ? [signal] : [])];
    const late = new AbortController();
    const asked = this.#inWords(
      method,
      at,
      fetch(this.url(at), {
        method,
        headers: this.#with(headers),
        ...(body !== undefined && { body: body as BodyInit }),
        redirect: "manual",
        decompress: false,
        signal: AbortSignal.any([...signals, late.signal]),
      }),
    );
    try {
      return patient
        ? await asked
        : await within(asked, `${this.where}: ${method} ${at}`, STALL_MS);
    } catch (error) {
      asked.catch(() => {}); // it was late, and is given up now
      late.abort();
      throw error;
    }
  }

  #with(headers: Record<string, string>): Record<string, string> {
    const authorization = this.#authorization;
    return authorization === undefined ? headers : { ...headers, authorization };
  }

  /** What came of it; without an answer the member is away. */
  #inWords<T>(method: string, at: string, asked: Promise<T>): Promise<T> {
    return asked.catch((error: unknown): never => {
      const why = error instanceof Error ? error.message : String(error);
      throw new MemberError("away", `${this.where}: ${method} ${at}: ${why}`, { cause: error });
    });
  }

  /** Throws unless it is a success. */
  expect(response: Response, method: string, at: string): void {
    drop(response);
    if (!response.ok) throw this.failed(method, at, response);
  }

  /** What an answer that is none means. */
  failed(method: string, at: string, response: Response): MemberError {
    drop(response);
    return this.failure(method, at, response.status);
  }

  failure(method: string, at: string, status: number): MemberError {
    const trouble = TROUBLES[status] ?? (status >= 500 ? "away" : "failed");
    return new MemberError(trouble, `${this.where}: ${method} ${at}: ${status}`);
  }

  /** A body that is a list. */
  async text(response: Response): Promise<string> {
    return new TextDecoder().decode(await wholeOf(response, `${this.where}: a list`));
  }

  /** As its own lists call it. */
  path(at: string): string {
    return decodeURIComponent(new URL(this.where).pathname.replace(/\/$/, "")) + at;
  }

  url(at: string): string {
    return this.where + escapePath(at);
  }

  /** As a request line has it. */
  #target(at: string): string {
    return this.#base + escapePath(at);
  }
}

function escapePath(at: string): string {
  return at.split("/").map(escapeSegment).join("/");
}

/** An answer with all of its body where that is a list, which whoever asked reads, and with none of it otherwise. */
async function responseOf(method: string, answer: DirectAnswer): Promise<Response> {
  const { status, headers } = answer;
  if (!LISTS.has(method)) {
    await answer.pass();
    return new Response(null, { status, headers });
  }
  try {
    const body = await within(answer.whole(MAX_DOCUMENT), "an answer", DOCUMENT_MS);
    return new Response(body.length === 0 ? null : body, { status, headers });
  } catch (error) {
    answer.close();
    throw error;
  }
}

/** RFC 3986, 3.3; encodeURIComponent leaves none of those that delimit. */
function escapeSegment(segment: string): string {
  return encodeURIComponent(segment.toWellFormed());
}
