import type { Fields, HttpRequest, HttpResponse, Trailer } from "../../wire/http/message.ts";
import type { Target } from "../../wire/http/path.ts";
import { latin1 } from "../../wire/http1/characters.ts";
import { spansIn } from "../../wire/http1/field-lines.ts";
import type { Head } from "../../wire/http1/head.ts";
import { hostIn } from "./interned.ts";
import type { RequestBody } from "./request-body.ts";
import type { Transport } from "./transport.ts";

/** The fields of a head, copied out of the read buffer; what is where is looked up when asked for. */
export class HeadFields implements Fields {
  readonly #lines: Uint8Array;
  /** Per field: name from, name to, value from, value to. */
  #found: Int32Array | undefined;

  constructor(head: Head) {
    const from = head.fields > 0 ? head.nameStart[0]! : head.linesEnd;
    this.#lines = head.bytes.slice(from, head.linesEnd);
  }

  get(name: string): string | null {
    const spans = this.#spans;
    let found: string | null = null;
    for (let i = 0; i < spans.length; i += 4) {
      if (!this.#isNamed(spans, i, name)) continue;
      const value = this.#text(spans, i + 2);
      found = found === null ? value : `${found}, ${value}`;
    }
    return found;
  }

  has(name: string): boolean {
    const spans = this.#spans;
    for (let i = 0; i < spans.length; i += 4) if (this.#isNamed(spans, i, name)) return true;
    return false;
  }

  forEach(visit: (value: string, name: string) => void): void {
    const spans = this.#spans;
    for (let i = 0; i < spans.length; i += 4)
      visit(this.#text(spans, i + 2), this.#text(spans, i).toLowerCase());
  }

  get #spans(): Int32Array {
    return (this.#found ??= spansIn(this.#lines));
  }

  #isNamed(spans: Int32Array, i: number, name: string): boolean {
    const from = spans[i]!;
    if (spans[i + 1]! - from !== name.length) return false;
    for (let k = 0; k < name.length; k++) {
      const have = this.#lines[from + k]!;
      const want = name.charCodeAt(k);
      if (have !== want && (have | 0x20) !== (want | 0x20)) return false;
    }
    return true;
  }

  #text(spans: Int32Array, i: number): string {
    return latin1(this.#lines, spans[i]!, spans[i + 1]!);
  }
}

/** What a request wants of the connection it came by. */
export interface Way {
  readonly transport: Pick<Transport, "secure" | "remote">;
  /** Send a 1xx now. */
  interim(status: number, headers: HttpResponse["headers"]): void;
}

const NO_TRAILERS: readonly Trailer[] = [];

/** An HTTP/1 request as handlers see it. */
export class Incoming implements HttpRequest {
  readonly method: string;
  readonly target: string;
  readonly host: string;
  readonly authority: string | undefined;
  readonly headers: HeadFields;
  readonly contentLength: number | undefined;
  readonly protocol: "HTTP/1.0" | "HTTP/1.1";
  /** As it was parsed, while the handler is called; undefined from then on. */
  head: Head | undefined;
  readonly path: string;
  readonly query: string;
  readonly #body: RequestBody | undefined;
  readonly #way: Way;
  #gone: AbortController | undefined;
  #whenGone: (() => void) | undefined;
  #isGone = false;

  constructor(
    head: Head,
    target: string,
    { path, query }: Pick<Target, "path" | "query">,
    body: RequestBody | undefined,
    way: Way,
  ) {
    this.head = head;
    this.method = methodOf(head);
    this.target = target;
    this.host = hostIn(head.bytes, head.hostStart, head.hostEnd);
    this.authority = head.form === "absolute" ? authorityOf(this.target) : undefined;
    this.headers = new HeadFields(head);
    this.contentLength = body && !head.chunked ? head.contentLength : undefined;
    this.protocol = head.minor === 0 ? "HTTP/1.0" : "HTTP/1.1";
    this.path = path;
    this.query = query;
    this.#body = body;
    this.#way = way;
  }

  get body(): ReadableStream<Uint8Array> | undefined {
    return this.#body?.stream;
  }
  get secure(): boolean {
    return this.#way.transport.secure;
  }
  get client(): { readonly address: string; readonly port: number } {
    return this.#way.transport.remote();
  }
  get signal(): AbortSignal {
    this.#gone ??= new AbortController();
    if (this.#isGone) this.#gone.abort();
    return this.#gone.signal;
  }

  whenGone(run: () => void): void {
    if (this.#isGone) run();
    else this.#whenGone = run;
  }

  trailers(): readonly Trailer[] {
    return this.#body?.trailers ?? NO_TRAILERS;
  }

  earlyHints(links: readonly string[]): void {
    this.interim(
      103,
      links.map((link) => ["Link", link] as const),
    );
  }

  interim(status: number, headers: HttpResponse["headers"]): void {
    if (this.protocol === "HTTP/1.1") this.#way.interim(status, headers);
  }

  /** The client is gone: tell whoever listens. */
  abort(): void {
    this.#isGone = true;
    this.#whenGone?.();
    this.#gone?.abort();
  }
}

/** The usual ones are not made anew. */
function methodOf(head: Head): string {
  if (head.isGet) return "GET";
  return head.isHead ? "HEAD" : head.text(head.methodStart, head.methodEnd);
}

/** `host:port` of `http://host:port/path`, as the strict parser took it. */
function authorityOf(target: string): string {
  const from = target.indexOf("//") + 2;
  const to = target.slice(from).search(/[/?]/);
  return to < 0 ? target.slice(from) : target.slice(from, from + to);
}
