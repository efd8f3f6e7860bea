import type { Body, Flow, FlowSink, Taker } from "../../wire/http/message.ts";
import { CHUNK_END, LAST_CHUNK, MAX_CHUNK_HEAD, writeChunkHead } from "../../wire/http1/chunked.ts";
import type { Reply } from "../../wire/http1/reply.ts";
import type { Trailer } from "../../wire/http1/trailers.ts";
import type { Asker, AskFailure } from "./asker.ts";
import type { UpstreamConnection } from "./connection.ts";
import { type Outgoing, requestHead } from "./request-head.ts";

/** Bytes of a response that may wait for whoever asked before the server is held back. */
const MAX_QUEUED = 256 * 1024;

/** A response as it comes from a server. Of its fields those of the hop are still there. */
export interface Answer {
  readonly status: number;
  /** As sent, in their order. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Take it or cancel it: the connection is busy until then. Asked for once. */
  body(): Body;
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

/** Who hears of what is not the response. */
export interface Onlooker {
  /** A 1xx came before it. */
  interim?(status: number, headers: Answer["headers"]): void;
  /** The exchange is over, however: bytes of both bodies. Called once. */
  over(sent: number, received: number): void;
}

/**
 * One request to a server and its response. Resolves with the head; small bodies are mostly there
 * by then, and are given as pieces.
 */
export class UpstreamExchange implements Asker, Flow, Taker {
  /** Settles when the head is there, or will not come. */
  readonly answer: Promise<Answer>;
  readonly #connection: UpstreamConnection;
  readonly #onlooker: Onlooker | undefined;
  readonly #reused: boolean;
  readonly #resolve: (answer: Answer) => void;
  readonly #reject: (error: AskError) => void;
  #queue: Uint8Array[] = [];
  #queued = 0;
  #sink: FlowSink | undefined;
  #paused = false;
  #headCame = false;
  #over = false;
  #failure: AskError | undefined;
  #length: number | undefined;
  #hasBody = false;
  #changed = false;
  #roomCame: (() => void) | undefined;
  #upload: ReadableStreamDefaultReader<Uint8Array> | undefined;
  #sent = 0;
  #received = 0;

  constructor(connection: UpstreamConnection, outgoing: Outgoing, onlooker?: Onlooker) {
    this.#connection = connection;
    this.#onlooker = onlooker;
    this.#reused = connection.exchanges > 0;
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    this.answer = promise;
    this.#resolve = resolve;
    this.#reject = reject;
    const { method, body, length } = outgoing;
    const head = requestHead(outgoing);
    const asked = method === "HEAD" ? "HEAD" : "other";
    connection.ask(this, asked, head, 0, head.length, body === undefined);
    if (body !== undefined) void this.#send(body, length === undefined);
  }

  /** The connection has nothing more to do for it. */
  get over(): boolean {
    return this.#over;
  }

  /** Nobody wants the response any more. */
  cancel(): void {
    this.#stopUpload();
    if (this.#over) return;
    this.#ended();
    this.#queue = [];
    this.#connection.abort();
    if (!this.#headCame) this.#reject(new AskError("closed", true, false));
  }

  // What the connection tells.

  interim(reply: Reply): void {
    this.#onlooker?.interim?.(reply.status, fieldsOf(reply));
  }

  head(reply: Reply): void {
    this.#headCame = true;
    this.#changed = reply.status === 101;
    this.#hasBody = reply.body !== "none" || this.#changed;
    if (reply.contentLength >= 0) this.#length = reply.contentLength;
    const { status } = reply;
    this.#resolve({ status, headers: fieldsOf(reply), body: () => this.#body() });
  }

  data(bytes: Uint8Array, from: number, to: number): void {
    this.#received += to - from;
    if (this.#sink !== undefined && this.#queue.length === 0) {
      if (!this.#sink.write(bytes, from, to)) this.#pause();
      return;
    }
    this.#queue.push(bytes.slice(from, to));
    this.#queued += to - from;
    if (this.#queued >= MAX_QUEUED) this.#pause();
  }

  end(_trailers: readonly Trailer[]): void {
    this.#ended();
    this.#stopUpload();
    if (this.#sink !== undefined && this.#queue.length === 0) this.#sink.end();
  }

  failed(why: AskFailure, untouched: boolean): void {
    const failure = new AskError(why, untouched, this.#reused);
    this.#ended();
    this.#stopUpload();
    this.#failure = failure;
    if (!this.#headCame) this.#reject(failure);
    else if (this.#sink !== undefined && this.#queue.length === 0) this.#sink.fail(failure);
  }

  room(): void {
    this.#roomCame?.();
  }

  // What whoever asked tells.

  start(sink: FlowSink): void {
    this.#sink = sink;
    this.resume();
  }

  resume(): void {
    if (!this.#drain() || !this.#paused) return;
    this.#paused = false;
    if (!this.#over) this.#connection.resume();
  }

  push(bytes: Uint8Array, from: number, to: number): boolean {
    this.#sent += to - from;
    return this.#connection.send(bytes, from, to);
  }

  whenRoom(run: () => void): void {
    this.#roomCame = run;
  }

  finish(): void {
    if (!this.#over) this.#connection.hangUp();
  }

  #ended(): void {
    this.#over = true;
    this.#onlooker?.over(this.#sent, this.#received);
  }

  #body(): Body {
    if (!this.#hasBody) return { kind: "none" };
    if (this.#changed) return { kind: "flow", flow: this, taker: this };
    if (this.#over && this.#failure === undefined) {
      const pieces = this.#queue;
      this.#queue = [];
      return { kind: "pieces", pieces };
    }
    return {
      kind: "flow",
      flow: this,
      ...(this.#length !== undefined && { length: this.#length }),
    };
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
    else sink?.end();
    return false;
  }

  #pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.#connection.pause();
  }

  /** Send the request's body, no faster than the server takes it. Never rejects. */
  async #send(body: ReadableStream<Uint8Array>, chunked: boolean): Promise<void> {
    const connection = this.#connection;
    const reader = body.getReader();
    this.#upload = reader;
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (this.#over) return;
        if (done) break;
        if (value.length === 0) continue;
        this.#sent += value.length;
        const bytes = chunked ? asChunk(value) : value;
        if (!connection.send(bytes, 0, bytes.length)) await this.#untilRoom();
      }
      this.#upload = undefined;
      if (chunked) connection.send(LAST_CHUNK, 0, LAST_CHUNK.length);
      connection.finish();
    } catch {
      this.cancel(); // the client left in the middle of its request
    }
  }

  #untilRoom(): Promise<void> {
    return new Promise((resolve) => {
      this.#roomCame = resolve;
    });
  }

  /** The server has answered, or never will: the rest of the request is not for it. */
  #stopUpload(): void {
    this.#roomCame?.();
    const upload = this.#upload;
    this.#upload = undefined;
    void upload?.cancel().catch(() => {});
  }
}

function asChunk(data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(MAX_CHUNK_HEAD + data.length + CHUNK_END.length);
  const at = writeChunkHead(data.length, bytes, 0);
  bytes.set(data, at);
  bytes.set(CHUNK_END, at + data.length);
  return bytes.subarray(0, at + data.length + CHUNK_END.length);
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
