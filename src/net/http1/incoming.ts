import type { Fields, HttpRequest, HttpResponse, Trailer } from "../../wire/http/message.ts";
import { latin1 } from "../../wire/http1/characters.ts";
import type { Head } from "../../wire/http1/head.ts";
import type { RequestBody } from "./request-body.ts";

/** The fields of a head, copied out of the read buffer; strings are made when asked for. */
export class HeadFields implements Fields {
  readonly #bytes: Uint8Array;
  /** Per field: name from, name to, value from, value to. */
  readonly #spans: Int32Array;

  constructor(head: Head) {
    const count = head.fields;
    const from = count > 0 ? head.nameStart[0]! : 0;
    const to = count > 0 ? head.valueEnd[count - 1]! : 0;
    this.#bytes = head.bytes.slice(from, to);
    this.#spans = new Int32Array(count * 4);
    for (let i = 0; i < count; i++) {
      this.#spans[i * 4] = head.nameStart[i]! - from;
      this.#spans[i * 4 + 1] = head.nameEnd[i]! - from;
      this.#spans[i * 4 + 2] = head.valueStart[i]! - from;
      this.#spans[i * 4 + 3] = head.valueEnd[i]! - from;
    }
  }

  get(name: string): string | null {
    let found: string | null = null;
    for (let i = 0; i < this.#spans.length; i += 4) {
      if (!this.#isNamed(i, name)) continue;
      const value = this.#text(i + 2);
      found = found === null ? value : `${found}, ${value}`;
    }
    return found;
  }

  has(name: string): boolean {
    for (let i = 0; i < this.#spans.length; i += 4) if (this.#isNamed(i, name)) return true;
    return false;
  }

  forEach(visit: (value: string, name: string) => void): void {
    for (let i = 0; i < this.#spans.length; i += 4)
      visit(this.#text(i + 2), this.#text(i).toLowerCase());
  }

  #isNamed(i: number, name: string): boolean {
    const from = this.#spans[i]!;
    if (this.#spans[i + 1]! - from !== name.length) return false;
    for (let k = 0; k < name.length; k++) {
      const have = this.#bytes[from + k]!;
      const want = name.charCodeAt(k);
      if (have !== want && (have | 0x20) !== (want | 0x20)) return false;
    }
    return true;
  }

  #text(i: number): string {
    return latin1(this.#bytes, this.#spans[i]!, this.#spans[i + 1]!);
  }
}

/** What the session knows of a request beside its head. */
export interface Setting {
  readonly path: string;
  readonly query: string;
  readonly body: RequestBody | undefined;
  readonly secure: boolean;
  remote(): { readonly address: string; readonly port: number };
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
  readonly #setting: Setting;
  #gone: AbortController | undefined;
  #whenGone: (() => void) | undefined;
  #isGone = false;

  constructor(head: Head, setting: Setting) {
    this.method = head.text(head.methodStart, head.methodEnd);
    this.target = head.text(head.targetStart, head.targetEnd);
    this.host = head.text(head.hostStart, head.hostEnd).toLowerCase();
    this.authority = head.form === "absolute" ? authorityOf(this.target) : undefined;
    this.headers = new HeadFields(head);
    this.contentLength = setting.body && !head.chunked ? head.contentLength : undefined;
    this.protocol = head.minor === 0 ? "HTTP/1.0" : "HTTP/1.1";
    this.#setting = setting;
  }

  get path(): string {
    return this.#setting.path;
  }
  get query(): string {
    return this.#setting.query;
  }
  get body(): ReadableStream<Uint8Array> | undefined {
    return this.#setting.body?.stream;
  }
  get secure(): boolean {
    return this.#setting.secure;
  }
  get client(): { readonly address: string; readonly port: number } {
    return this.#setting.remote();
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
    return this.#setting.body?.trailers ?? NO_TRAILERS;
  }

  earlyHints(links: readonly string[]): void {
    this.interim(
      103,
      links.map((link) => ["Link", link] as const),
    );
  }

  interim(status: number, headers: HttpResponse["headers"]): void {
    if (this.protocol === "HTTP/1.1") this.#setting.interim(status, headers);
  }

  /** The client is gone: tell whoever listens. */
  abort(): void {
    this.#isGone = true;
    this.#whenGone?.();
    this.#gone?.abort();
  }
}

/** `host:port` of `http://host:port/path`, as the strict parser took it. */
function authorityOf(target: string): string {
  const from = target.indexOf("//") + 2;
  const to = target.slice(from).search(/[/?]/);
  return to < 0 ? target.slice(from) : target.slice(from, from + to);
}
