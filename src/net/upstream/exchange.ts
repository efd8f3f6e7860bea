import type { Body, Flow, FlowSink, Taker, Trailer } from "../../wire/http/message.ts";
import type { Reply } from "../../wire/http1/reply.ts";
import type { Asker, AskFailure } from "./asker.ts";
import type { UpstreamConnection } from "./connection.ts";
import type { Outgoing } from "./request-head.ts";
import { Upload } from "./upload.ts";

/** Bytes of a response that may wait for whoever asked before the server is held back. */
const MAX_QUEUED = 256 * 1024;
const NO_BODY: Body = { kind: "none" };

/** A response as it comes from a server. Of its fields those of the hop are still there. */
export class Answer {
  /** As it was parsed, while `answered` is called: then it is another one's. */
  readonly reply: Reply;
  readonly status: number;
  /** What it says of its length, which for HEAD and 304 is not that of its body. */
  readonly contentLength: number | undefined;
  readonly #exchange: UpstreamExchange;
  #headers: [name: string, value: string][] | undefined;

  constructor(reply: Reply, exchange: UpstreamExchange) {
    this.reply = reply;
    this.status = reply.status;
    this.contentLength = reply.contentLength < 0 ? undefined : reply.contentLength;
    this.#exchange = exchange;
  }

  /** As sent, in their order. To be asked for while `answered` is called, if at all. */
  get headers(): readonly (readonly [name: string, value: string])[] {
    return (this.#headers ??= fieldsOf(this.reply));
  }

  /** Take it or cancel it: the connection is busy until then. Asked for once. */
  body(): Body {
    return this.#exchange.body();
  }
}

/** The exchange came to nothing, or its body broke off. */
export class AskError extends Error {
  override name = "AskError";
  constructor(
    readonly why: AskFailure,
    /** No byte of a response came. */
    readonly untouched: boolean,
    /** The connection had served others: the server may just have been tired of it. */
    readonly reused: boolean,
  ) {
    super(MESSAGES[why]);
  }
}

const MESSAGES = {
  closed: "the server closed the connection before its response was whole",
  timeout: "the server was silent for too long",
  bad: "the server's response is malformed",
};

/** Who asks, told on the reactor's turn. Either `answered` or `failed` is called, once. */
export interface Questioner {
  /** A 1xx came before it. */
  interim?(status: number, headers: Answer["headers"]): void;
  /** The head is there; the body comes. */
  answered(answer: Answer): void;
  /** There will be no head. Not called when it was cancelled. */
  failed(error: AskError): void;
  /**
   * The exchange is over, however: bytes of both bodies, and what broke it. Called once; before
   * `failed`, and before whoever takes the body hears of its end.
   */
  over(sent: number, received: number, failure: AskError | undefined): void;
}

/** One request to a server and its response. */
export class UpstreamExchange implements Asker, Flow, Taker {
  readonly #connection: UpstreamConnection;
  readonly #questioner: Questioner;
  readonly #reused: boolean;
  #queue: Uint8Array[] = [];
  #queued = 0;
  #sink: FlowSink | undefined;
  #paused = false;
  #headCame = false;
  /** The head is being told. */
  #heading = false;
  #over = false;
  #failure: AskError | undefined;
  #trailers: readonly Trailer[] | undefined;
  #length: number | undefined;
  #hasBody = false;
  #changed = false;
  /** The sink was told that more comes on this turn. */
  #corked = false;
  #roomCame: (() => void) | undefined;
  #upload: Upload | undefined;
  /** Bytes of the other protocol, behind a 101. */
  #pushed = 0;
  #received = 0;

  constructor(connection: UpstreamConnection, questioner: Questioner) {
    this.#connection = connection;
    this.#questioner = questioner;
    this.#reused = connection.exchanges > 0;
  }

  /** Ask. Once. */
  begin(outgoing: Outgoing): void {
    const { head, headEnd, method, body, length, trailers, readTimeout } = outgoing;
    const last = body === undefined;
    const asked = method === "HEAD" ? "HEAD" : "other";
    this.#connection.ask(this, asked, head, headEnd, last, readTimeout);
    if (body === undefined || this.#over) return;
    this.#upload = new Upload(body, this.#connection, {
      chunked: length === undefined,
      trailers,
      broken: () => this.cancel(), // the client left in the middle of its request
    });
    void this.#upload.run();
  }

  /** The connection has nothing more to do for it. */
  get over(): boolean {
    return this.#over;
  }

  /** Nobody wants the response any more. */
  cancel(): void {
    if (this.#over) return;
    this.lull();
    this.#queue = [];
    this.#connection.abort();
    this.#ended(undefined);
  }

  // What the connection tells.

  interim(reply: Reply): void {
    this.#questioner.interim?.(reply.status, fieldsOf(reply));
  }

  head(reply: Reply): void {
    this.#headCame = true;
    const { status, contentLength } = reply;
    this.#changed = status === 101;
    this.#hasBody = reply.body !== "none" || this.#changed;
    if (contentLength >= 0) this.#length = contentLength;
    this.#heading = true;
    this.#questioner.answered(new Answer(reply, this));
    this.#heading = false;
  }

  data(bytes: Uint8Array, from: number, to: number): void {
    this.#received += to - from;
    const sink = this.#sink;
    if (sink !== undefined && this.#queue.length === 0) {
      this.#cork();
      if (!sink.write(bytes, from, to)) this.#pause();
      return;
    }
    this.#queue.push(bytes.slice(from, to));
    this.#queued += to - from;
    if (this.#queued >= MAX_QUEUED) this.#pause();
  }

  lull(): void {
    if (!this.#corked) return;
    this.#corked = false;
    this.#sink?.uncork?.();
  }

  end(trailers: readonly Trailer[]): void {
    this.#trailers = trailers;
    this.#ended(undefined);
    if (this.#queue.length > 0) this.lull();
    else this.#sink?.end(trailers);
  }

  failed(why: AskFailure, untouched: boolean): void {
    const failure = new AskError(why, untouched, this.#reused);
    this.#failure = failure;
    this.#ended(failure);
    if (!this.#headCame) this.#questioner.failed(failure);
    else if (this.#queue.length > 0) this.lull();
    else this.#sink?.fail(failure);
  }

  room(): void {
    this.#upload?.room();
    this.#roomCame?.();
  }

  // What whoever asked tells.

  start(sink: FlowSink): void {
    this.#sink = sink;
    if (this.#heading) this.#cork(); // the head leaves with what comes behind it
    this.resume();
  }

  resume(): void {
    if (!this.#drain() || !this.#paused) return;
    this.#paused = false;
    if (!this.#over) this.#connection.resume();
  }

  push(bytes: Uint8Array, from: number, to: number): boolean {
    this.#pushed += to - from;
    return this.#connection.send(bytes, from, to);
  }

  whenRoom(run: () => void): void {
    this.#roomCame = run;
  }

  finish(): void {
    if (!this.#over) this.#connection.hangUp();
  }

  /** The upload stops, too: the rest of the request is not for this server. */
  #ended(failure: AskError | undefined): void {
    this.#over = true;
    this.#upload?.stop();
    this.#questioner.over(this.#pushed + (this.#upload?.sent ?? 0), this.#received, failure);
  }

  /** What its answer's `body` answers. */
  body(): Body {
    if (!this.#hasBody) return NO_BODY;
    if (this.#changed) return { kind: "flow", flow: this, taker: this };
    if (this.#length === undefined) return { kind: "flow", flow: this };
    return { kind: "flow", flow: this, length: this.#length };
  }

  /** Tell the sink what waits; answers whether it wants more. */
  #drain(): boolean {
    const sink = this.#sink;
    let wants = sink !== undefined;
    for (let first; wants && (first = this.#queue.shift()) !== undefined;) {
      this.#queued -= first.length;
      wants = sink?.write(first, 0, first.length) ?? false;
    }
    if (!this.#over || this.#queue.length > 0) return wants;
    if (this.#failure !== undefined) sink?.fail(this.#failure);
    else if (this.#trailers !== undefined) sink?.end(this.#trailers);
    return false;
  }

  /** What the connection tells now may leave together. */
  #cork(): void {
    if (this.#corked || this.#over || this.#sink === undefined) return;
    this.#corked = true;
    this.#sink.cork?.();
  }

  #pause(): void {
    if (this.#paused || this.#over) return;
    this.#paused = true;
    this.#connection.pause();
  }
}

function fieldsOf(reply: Reply): [string, string][] {
  const fields: [string, string][] = [];
  for (let i = 0; i < reply.fields; i++)
    fields.push([
      reply.text(reply.nameStart[i] as number, reply.nameEnd[i] as number),
      reply.text(reply.valueStart[i] as number, reply.valueEnd[i] as number),
    ]);
  return fields;
}
