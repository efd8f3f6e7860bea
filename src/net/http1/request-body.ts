import { ChunkedDecoder } from "../../wire/http1/chunked.ts";
import type { Trailer } from "../../wire/http1/trailers.ts";

/** Bytes that wait for the handler before the socket is no longer read. */
const MAX_QUEUED = 128 * 1024;

/** The body stopped before its end: the client left, or broke the rules. */
export class ClientGone extends Error {
  override name = "ClientGone";
  constructor(bad: "malformed" | "too large" | undefined) {
    super(bad === undefined ? "the client is gone" : `the request body is ${bad}`);
  }
}

export interface BodyNeeds {
  /** The handler asks for more than is here. */
  wanted(): void;
  /** Called before the first byte is read, when the client waits for a 100 (RFC 9110, 10.1.1). */
  firstAsked: (() => void) | undefined;
}

/** A request body on its way from the socket to the handler: pulled by it, held back when it is slow. */
export class RequestBody {
  readonly stream: ReadableStream<Uint8Array>;
  /** Why the body can't be gone on with. */
  bad: "malformed" | "too large" | undefined;
  readonly #chunked: ChunkedDecoder | undefined;
  readonly #needs: BodyNeeds;
  #left: number;
  #queue: Uint8Array[] = [];
  #queued = 0;
  #ended = false;
  #ignored = false;
  #asked = false;
  #pull: (() => void) | undefined;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;

  /** `length` in bytes; undefined when chunked. */
  constructor(length: number | undefined, max: number, needs: BodyNeeds) {
    this.#left = length ?? Infinity;
    this.#chunked = length === undefined ? new ChunkedDecoder(max) : undefined;
    this.#needs = needs;
    this.stream = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        pull: () => this.#pulled(),
        cancel: () => this.ignore(),
      },
      { highWaterMark: 0 },
    );
  }

  /** The last byte has come. */
  get ended(): boolean {
    return this.#ended;
  }
  /** Enough waits for the handler: do not read on. */
  get full(): boolean {
    return !this.#ignored && this.#queued >= MAX_QUEUED;
  }
  /** The handler waits for the client. */
  get waiting(): boolean {
    return !this.#ended && (this.#pull !== undefined || this.#ignored);
  }

  /** Fields behind a chunked body that has ended. */
  get trailers(): readonly Trailer[] {
    return this.#chunked?.trailers ?? [];
  }

  /** Could the unread rest be swallowed cheaply, so that the connection can be kept? */
  canSwallow(max: number): boolean {
    if (this.#ended) return true;
    if (this.#needs.firstAsked !== undefined && !this.#asked) return false;
    return this.#left <= max;
  }

  /** Take what belongs to the body of `bytes[from, to)`; answers how much that was. */
  push(bytes: Uint8Array, from: number, to: number): number {
    if (this.full) return 0;
    let used: number;
    if (this.#chunked === undefined) {
      used = Math.min(this.#left, to - from);
      this.#left -= used;
      this.#queueUp(bytes, from, from + used);
      if (this.#left === 0) this.#end();
    } else {
      used = this.#chunked.push(bytes, from, to, (a, b) => this.#queueUp(bytes, a, b)) - from;
      const { state } = this.#chunked;
      if (state === "done") this.#end();
      else if (state !== "more") {
        this.bad = state === "large" ? "too large" : "malformed";
        this.broken();
      }
    }
    this.#deliver();
    return used;
  }

  /** The handler does not want the rest. */
  ignore(): void {
    this.#ignored = true;
    this.#queue = [];
    this.#queued = 0;
    this.#needs.wanted();
  }

  /** The rest will not come. */
  broken(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#queue = [];
    this.#queued = 0;
    if (!this.#ignored) this.#controller?.error(new ClientGone(this.bad));
    this.#pull?.();
    this.#pull = undefined;
  }

  #queueUp(bytes: Uint8Array, from: number, to: number): void {
    if (this.#ignored || from === to) return;
    this.#queue.push(bytes.slice(from, to));
    this.#queued += to - from;
  }

  #end(): void {
    this.#ended = true;
  }

  #pulled(): Promise<void> | undefined {
    if (!this.#asked) {
      this.#asked = true;
      if (!this.#ended) this.#needs.firstAsked?.();
    }
    if (this.#queue.length > 0 || this.#ended) {
      this.#hand();
      return undefined;
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#pull = resolve;
    this.#needs.wanted();
    return promise;
  }

  #deliver(): void {
    if (this.#pull === undefined) return;
    if (this.#queue.length === 0 && !this.#ended) return;
    const pull = this.#pull;
    this.#pull = undefined;
    this.#hand();
    pull();
  }

  #hand(): void {
    const controller = this.#controller;
    if (controller === undefined || this.#ignored || this.bad !== undefined) return;
    const wasFull = this.full;
    for (const bytes of this.#queue) controller.enqueue(bytes);
    this.#queue = [];
    this.#queued = 0;
    if (this.#ended) controller.close();
    else if (wasFull) this.#needs.wanted();
  }
}
