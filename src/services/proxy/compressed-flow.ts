import { encoder } from "../../net/encoder.ts";
import type { Coding } from "../../wire/http/encoding.ts";
import type { Flow, FlowSink } from "../../wire/http/message.ts";

/**
 * A body on its way from a server, compressed on its way to the client; held back by both. What came
 * goes on when the server pauses, so that a page which comes bit by bit is seen bit by bit.
 */
export class CompressedFlow implements Flow, FlowSink {
  readonly #source: Flow;
  readonly #through: ReturnType<typeof encoder>;
  #sink: FlowSink | undefined;
  readonly #flushes: boolean;
  #over = false;

  /** `flushes`: nobody knows how long the body will be, or when it will go on. */
  constructor(source: Flow, coding: Coding, flushes: boolean) {
    this.#flushes = flushes;
    this.#source = source;
    this.#through = encoder(coding);
  }

  start(sink: FlowSink): void {
    this.#sink = sink;
    const through = this.#through;
    through.on("data", (bytes: Uint8Array) => {
      if (!this.#over && !sink.write(bytes, 0, bytes.length)) through.pause();
    });
    through.on("drain", () => this.#source.resume());
    through.on("end", () => this.#end(() => sink.end()));
    through.on("error", (error: Error) => this.fail(error));
    this.#source.start(this);
  }

  resume(): void {
    this.#through.resume();
  }

  cancel(): void {
    this.#end(() => this.#source.cancel());
    this.#through.destroy();
  }

  // What the server sends.

  write(bytes: Uint8Array, from: number, to: number): boolean {
    return this.#over || this.#through.write(bytes.slice(from, to));
  }
  uncork(): void {
    if (!this.#over && this.#flushes) this.#through.flush();
  }
  end(): void {
    this.#through.end();
  }
  fail(error: Error): void {
    this.#end(() => this.#sink?.fail(error));
    this.#through.destroy();
  }

  #end(tell: () => void): void {
    if (this.#over) return;
    this.#over = true;
    tell();
  }
}
