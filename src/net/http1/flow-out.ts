import type { Flow, FlowSink, Trailer } from "../../wire/http/message.ts";
import {
  CHUNK_END,
  LAST_CHUNK,
  lastChunk,
  MAX_CHUNK_HEAD,
  writeChunkHead,
} from "../../wire/http1/chunked.ts";
import type { Outbox } from "./outbox.ts";
import type { Framing } from "./response-writer.ts";

const chunkHead = new Uint8Array(MAX_CHUNK_HEAD);

export interface FlowNeeds {
  /** Call `run` when nothing waits for the peer any more. */
  whenRoom(run: () => void): void;
  /** Something was put: send it, unless this turn goes on. */
  moved(): void;
  /** All of it is on its way, or given up with the connection: see what is next. */
  streamed(): void;
  /** It failed half-way: only a broken connection tells the client. */
  cut(): void;
}

/** Sends a body as it is told, no faster than the peer takes it. */
export class FlowOut implements FlowSink {
  readonly #flow: Flow;
  readonly #chunked: boolean;
  readonly #out: Outbox;
  readonly #needs: FlowNeeds;
  readonly #finish: () => void;
  #left: number;
  #over = false;

  /** `finish` is called once, when its last byte is out or never will be. */
  constructor(flow: Flow, framing: Framing, out: Outbox, needs: FlowNeeds, finish: () => void) {
    this.#flow = flow;
    this.#chunked = framing.kind === "chunked";
    this.#left = framing.kind === "length" ? framing.length : Infinity;
    this.#out = out;
    this.#needs = needs;
    this.#finish = finish;
  }

  begin(): void {
    this.#flow.start(this);
  }

  write(bytes: Uint8Array, from: number, to: number): boolean {
    return this.#write(bytes, from, to, false);
  }
  lend(bytes: Uint8Array, from: number, to: number): boolean {
    return this.#write(bytes, from, to, true);
  }

  #write(bytes: Uint8Array, from: number, to: number, lent: boolean): boolean {
    if (this.#over) return false;
    const length = to - from;
    if (length === 0) return true;
    this.#left -= length;
    if (this.#left < 0) {
      this.#flow.cancel(); // longer than it was said to be
      this.fail();
      return false;
    }
    const out = this.#out;
    if (this.#chunked) out.put(chunkHead.subarray(0, writeChunkHead(length, chunkHead, 0)));
    out.sendNow(bytes, from, to, lent);
    if (this.#chunked) out.put(CHUNK_END);
    this.#needs.moved();
    if (this.#over || out.empty) return !this.#over;
    this.#needs.whenRoom(() => this.#resume());
    return false;
  }

  end(trailers: readonly Trailer[] = []): void {
    if (this.#over) return;
    if (this.#left > 0 && this.#left !== Infinity) return this.fail();
    this.#over = true;
    this.#out.uncork();
    if (this.#chunked) this.#out.put(trailers.length === 0 ? LAST_CHUNK : lastChunk(trailers));
    this.#done();
  }

  fail(): void {
    if (this.#over) return;
    this.#over = true;
    this.#out.uncork();
    this.#needs.cut();
    this.#finish();
  }

  cork(): void {
    if (!this.#over) this.#out.cork();
  }
  uncork(): void {
    if (this.#over) return;
    this.#out.uncork();
    this.#needs.moved();
  }

  /** The client is gone. */
  giveUp(): void {
    if (this.#over) return;
    this.#over = true;
    this.#flow.cancel();
    this.#done();
  }

  #done(): void {
    this.#out.afterwards(this.#finish);
    this.#needs.streamed();
  }

  #resume(): void {
    if (!this.#over) this.#flow.resume();
  }
}
