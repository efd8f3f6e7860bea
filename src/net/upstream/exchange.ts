import type { Body, Flow, FlowSink, Taker, Trailer } from "../../wire/http/message.ts";
import type { Reply } from "../../wire/http1/reply.ts";
import { Answer, fieldsOf } from "./answer.ts";
import { AskError } from "./ask-error.ts";
import type { Asker, AskFailure } from "./asker.ts";
import type { UpstreamConnection } from "./connection.ts";
import type { Questioner } from "./questioner.ts";
import type { Outgoing } from "./request-head.ts";
import { Upload, type UploadFailure } from "./upload.ts";

/** Bytes of a response that may wait for whoever asked before the server is held back. */
const MAX_QUEUED = 256 * 1024;
const NO_BODY: Body = { kind: "none" };
/** Nobody puts anything into it: most of what comes is taken at once. */
const NOTHING: Uint8Array[] = [];

/** One request to a server and its response. */
export class UpstreamExchange implements Asker, Flow, Taker {
  readonly #connection: UpstreamConnection;
  readonly #questioner: Questioner;
  readonly #reused: boolean;
  #queue: Uint8Array[] = NOTHING;
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
    const { body, length, trailers } = outgoing;
    this.#connection.ask(this, outgoing);
    if (body === undefined || this.#over) return;
    this.#upload = new Upload(body, this.#connection, {
      length,
      trailers,
      broken: (why) => this.#uploadBroke(why),
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
    this.#queue = NOTHING;
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
    if (this.#queue === NOTHING) this.#queue = [];
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

  failed(why: AskFailure | UploadFailure, untouched: boolean): void {
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
    const waited = this.#queue.length > 0;
    if (!this.#drain()) return;
    if (waited && !this.#corked) this.#sink?.uncork?.(); // that is all, for now
    if (!this.#paused) return;
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

  /** There is no rest of the request: the server must not take it for whole. */
  #uploadBroke(why: UploadFailure): void {
    if (this.#over) return;
    this.#connection.abort();
    this.failed(why, false);
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
