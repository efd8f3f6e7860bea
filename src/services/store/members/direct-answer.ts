import type { Answer } from "../../../net/upstream/answer.ts";
import type { UpstreamExchange } from "../../../net/upstream/exchange.ts";
import type { Flow, FlowSink } from "../../../wire/http/message.ts";
import { MemberError, STALL_MS, within } from "./member.ts";

/** A body that nobody wants is read to its end when it is no longer: then its connection can be kept. Bytes. */
const SMALL = 64 * 1024;
/** Bytes asked for at a time when all of a body is wanted. */
const PIECE = 64 * 1024;
/** Whoever waits for a block is given what there is of it when it does not come sooner. Milliseconds. */
const PATIENT_MS = 1000;

/** An answer: its head, and the body as it is read. */
export class DirectAnswer implements FlowSink {
  readonly status: number;
  readonly headers: Headers;
  /** As it says itself; undefined where only its end tells. */
  readonly contentLength: number | undefined;
  readonly #exchange: UpstreamExchange;
  readonly #flow: Flow | undefined;
  #started = false;
  #end: "whole" | MemberError | undefined;
  /** Came when there was no room for it. */
  readonly #rest: Uint8Array[] = [];
  #asked: { room: Uint8Array; filled: number; since: number; done: Done } | undefined;

  /** To be made while `answered` is called. */
  constructor(answer: Answer, exchange: UpstreamExchange) {
    this.status = answer.status;
    this.headers = headersOf(answer);
    this.contentLength = answer.contentLength;
    this.#exchange = exchange;
    const body = answer.body();
    this.#flow = body.kind === "flow" ? body.flow : undefined;
    if (this.#flow === undefined) this.#end = "whole";
  }

  /**
   * The next bytes of the body, in `room`: as many as fit, or as have come in a second. Undefined at
   * its end. Rejects with a `MemberError` when it breaks off. One at a time.
   */
  async next(room: Uint8Array): Promise<Uint8Array | undefined> {
    let filled = 0;
    for (let first; filled < room.length && (first = this.#rest.shift()) !== undefined;) {
      const fits = first.subarray(0, room.length - filled);
      room.set(fits, filled);
      filled += fits.length;
      if (fits.length < first.length) this.#rest.unshift(first.subarray(fits.length));
    }
    if (filled === room.length) return room;
    if (this.#end !== undefined) {
      if (filled > 0) return room.subarray(0, filled);
      if (this.#end === "whole") return undefined;
      throw this.#end;
    }
    const done: Done = Promise.withResolvers();
    this.#asked = { room, filled, since: performance.now(), done };
    if (this.#started) this.#flow?.resume();
    else {
      this.#started = true;
      this.#flow?.start(this);
    }
    return done.promise;
  }

  /** All of the body. Rejects when it is longer than `most` bytes, or breaks off. */
  async whole(most: number): Promise<Uint8Array<ArrayBuffer>> {
    const pieces: Uint8Array[] = [];
    let size = 0;
    for (;;) {
      const piece = await this.next(new Uint8Array(Math.min(PIECE, this.contentLength ?? PIECE)));
      if (piece === undefined || piece.length === 0) return Buffer.concat(pieces);
      size += piece.length;
      pieces.push(piece);
      if (size <= most) continue;
      this.close();
      throw new MemberError("failed", "too long an answer");
    }
  }

  /** Nobody wants the body: a small one is read all the same. Resolves when that is over; never rejects. */
  async pass(): Promise<void> {
    await within(this.whole(SMALL), "a body", STALL_MS).catch(() => this.close());
  }

  /** Nobody wants what is left. */
  close(): void {
    if (!this.#exchange.over) this.#exchange.cancel();
    this.fail();
  }

  write(bytes: Uint8Array, from: number, to: number): boolean {
    const asked = this.#asked;
    const fits = asked ? Math.min(to - from, asked.room.length - asked.filled) : 0;
    if (asked !== undefined) {
      asked.room.set(bytes.subarray(from, from + fits), asked.filled);
      asked.filled += fits;
    }
    if (from + fits < to) this.#rest.push(bytes.slice(from + fits, to));
    if (asked === undefined || asked.filled < asked.room.length) return asked !== undefined;
    this.#give();
    return false;
  }

  uncork(): void {
    const asked = this.#asked;
    if (asked === undefined || asked.filled === 0) return;
    if (performance.now() - asked.since > PATIENT_MS) this.#give();
  }

  end(): void {
    this.#end = "whole";
    this.#give();
  }

  fail(error?: Error): void {
    this.#end ??= new MemberError("away", `the body broke off${error ? `: ${error.message}` : ""}`);
    this.#give();
  }

  #give(): void {
    const asked = this.#asked;
    if (asked === undefined) return;
    this.#asked = undefined;
    const { room, filled, done } = asked;
    if (filled > 0) done.resolve(room.subarray(0, filled));
    else if (this.#end instanceof MemberError) done.reject(this.#end);
    else done.resolve(undefined);
  }
}

type Done = PromiseWithResolvers<Uint8Array | undefined>;

/** What cannot be a field is left out. */
function headersOf(answer: Answer): Headers {
  const headers = new Headers();
  for (const [name, value] of answer.headers)
    try {
      headers.append(name, value);
    } catch {} // nothing here asks for one of those
  return headers;
}
