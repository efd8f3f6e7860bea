/**
 * HTTP messages as plain values (RFC 9110), the same for HTTP/1.1, 2 and 3. Whoever owns the
 * socket makes the request and writes the response; handlers need no socket.
 */

/** Case-insensitive read access to fields. The platform's `Headers` is one. */
export interface Fields {
  /** Values of repeated fields joined with ", "; null when absent. */
  get(name: string): string | null;
  has(name: string): boolean;
  forEach(visit: (value: string, name: string) => void): void;
}

export interface HttpRequest {
  /** Case-sensitive, as sent. */
  readonly method: string;
  /** Request target as sent: `/a%20b?q=1`. For the log and for redirects. */
  readonly target: string;
  /** Decoded and dot-segments removed: starts with "/", holds no NUL, no "//", no "." or ".." segment. */
  readonly path: string;
  /** Behind the "?", as sent; "" when there is none. */
  readonly query: string;
  /** Lower case, without port and trailing dot; "" when HTTP/1.0 sent none. */
  readonly host: string;
  /**
   * Host and port as asked for, where something else than the Host field says it: the target of
   * HTTP/1 in its absolute form, `:authority`. It wins over the field (RFC 9112, 3.2.2).
   */
  readonly authority?: string | undefined;
  readonly headers: Fields;
  /** Undefined when the request has no body. Reading pulls from the socket; not reading holds it back. */
  readonly body: ReadableStream<Uint8Array> | undefined;
  /** Bytes the body says it has; undefined when chunked or absent. */
  readonly contentLength: number | undefined;
  readonly client: { readonly address: string; readonly port: number };
  /** Came in over TLS. */
  readonly secure: boolean;
  readonly protocol: "HTTP/1.0" | "HTTP/1.1" | "HTTP/2" | "HTTP/3";
  /** Aborts when the client is gone. */
  readonly signal: AbortSignal;
  /** As a listener to `signal`, but cheaper: for what is done for every request. One at a time. */
  whenGone(run: () => void): void;
  /** Fields behind the body, once it has been read to its end. Absent where nobody knows of them. */
  trailers?(): readonly Trailer[];
  /** Send a 103 with these Link values at once (RFC 8297); absent where the protocol in use can't. */
  earlyHints?(links: readonly string[]): void;
  /** Send a 1xx at once; likewise. Not 100, which is sent when the body is first asked for, nor 101. */
  interim?(status: number, headers: HttpResponse["headers"]): void;
}

/** A field behind a body. */
export type Trailer = readonly [name: string, value: string];

/** A run of bytes in an open file. The writer uses sendfile(2) where it can. */
export interface FileSlice {
  readonly fd: number;
  readonly offset: number;
  readonly length: number;
}

export type Piece = Uint8Array | FileSlice;

/**
 * A body that is told as it comes, on the turn it comes in: nothing is queued, no promise is made.
 * `start` is called once, or `cancel` instead of it.
 */
export interface Flow {
  /** Tell `sink` of what is here, and of what comes. */
  start(sink: FlowSink): void;
  /** There is room again, after `write` answered false. */
  resume(): void;
  /** Nobody wants the rest. The sink is told nothing more. */
  cancel(): void;
}

/** Where a client's bytes go once its connection speaks another protocol (101). */
export interface Taker {
  /** Bytes good until this returns, all of which are taken. False: no more until there is room. */
  push(bytes: Uint8Array, from: number, to: number): boolean;
  /** Called whenever there is room again. */
  whenRoom(run: () => void): void;
  /** The client will say no more. */
  finish(): void;
}

/** Who takes a body as it comes. After `end` or `fail` nothing more is told. */
export interface FlowSink {
  /** Bytes good until this returns, all of which are taken. False: no more until `resume`. */
  write(bytes: Uint8Array, from: number, to: number): boolean;
  /**
   * As `write`, of bytes that stay as they are until `resume` when it answers false: what there is
   * no room for is not copied. Where there is none, `write` them.
   */
  lend?(bytes: Uint8Array, from: number, to: number): boolean;
  end(trailers?: readonly Trailer[]): void;
  /** The rest will not come. */
  fail(error: Error): void;
  /** More is told before control goes back to the loop: it may leave together, at `uncork`. */
  cork?(): void;
  uncork?(): void;
}

/**
 * `pieces` have a length known from the start and are sent in order; `release` is called once,
 * when the last byte is out or the client is gone (give back file handles there).
 * A stream or a flow without length is sent chunked in HTTP/1.1.
 */
export type Body =
  | { readonly kind: "none" }
  | { readonly kind: "pieces"; readonly pieces: readonly Piece[]; readonly release?: () => void }
  | {
      readonly kind: "stream";
      readonly stream: ReadableStream<Uint8Array>;
      readonly length?: number;
    }
  | {
      readonly kind: "flow";
      readonly flow: Flow;
      readonly length?: number;
      /** Behind a 101 only: `flow` is what comes the other way. */
      readonly taker?: Taker;
    };

/** Lines that lie somewhere else. */
export interface ReadyLines {
  readonly length: number;
  /** Copy all of them to `into`, from `at` on. Once; `headers` may not be asked for any more. */
  copyTo(into: Uint8Array, at: number): void;
}

export interface HttpResponse {
  readonly status: number;
  /** Without Date and Server (but see `named`), Connection and Transfer-Encoding: the writer adds those. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /**
   * For HEAD and 304 give the body's headers (Content-Length too, where known) and kind "none".
   * Otherwise the writer makes Content-Length from the body: leave it out of `headers`.
   */
  readonly body: Body;
  /** Close the connection behind this response. */
  readonly close?: boolean;
  /**
   * `headers` as lines, ready to be sent: `Name: value` CRLF, without any of those that the writer
   * adds. Only where nobody makes another response of this one: the lines would stay the same.
   */
  readonly lines?: ReadyLines;
  /** Another server made it: `headers` have Date and Server as that one said them. */
  readonly named?: boolean;
  /** Who asked, once authenticated: for the access log. */
  readonly user?: string;
  /** Whose answer it is, and how long its head took in ms: for the access log. */
  readonly upstream?: { readonly server: string; readonly ms: number };
}

/**
 * A response that is not there yet, and is told on the turn it comes in: as a promise, but without
 * one. Whoever makes it calls `answer` once; it cannot fail.
 */
export class Later {
  #response: HttpResponse | undefined;
  #tell: ((response: HttpResponse) => void) | undefined;

  /** `tell` is called once, maybe before this returns. */
  whenAnswered(tell: (response: HttpResponse) => void): void {
    if (this.#response === undefined) this.#tell = tell;
    else tell(this.#response);
  }

  answer(response: HttpResponse): void {
    this.#response = response;
    this.#tell?.(response);
  }
}

/** What a handler may answer. */
export type HttpAnswer = HttpResponse | Promise<HttpResponse> | Later;

/** Must not throw for anything a stranger can send; a throw is answered 500 and logged. */
export type HttpHandler = (request: HttpRequest) => HttpAnswer;

/** Any answer as one that can be awaited. */
export function settled(answer: HttpAnswer): HttpResponse | Promise<HttpResponse> {
  return answer instanceof Later ? new Promise((resolve) => answer.whenAnswered(resolve)) : answer;
}

/** A body-less response or one with a short text. */
export function respond(
  status: number,
  headers: readonly (readonly [string, string])[] = [],
  text?: string,
): HttpResponse {
  if (text === undefined) return { status, headers, body: { kind: "none" } };
  const bytes = new TextEncoder().encode(text);
  const typed: (readonly [string, string])[] = [
    ["Content-Type", "text/plain; charset=utf-8"],
    ...headers,
  ];
  return { status, headers: typed, body: { kind: "pieces", pieces: [bytes] } };
}

/** Bytes of a piece. */
export function lengthOf(piece: Piece): number {
  return piece.length;
}

/** A response whose body is not sent: give back what it holds. */
export function discard({ body }: HttpResponse): void {
  if (body.kind === "pieces") body.release?.();
  if (body.kind === "flow") body.flow.cancel();
  if (body.kind === "stream") void body.stream.cancel().catch(() => {}); // it may have broken by itself
}
