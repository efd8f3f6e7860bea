import { encoder } from "../../net/encoder.ts";
import type { Coding } from "../../wire/http/encoding.ts";
import type { Flow, FlowSink } from "../../wire/http/message.ts";

/** A body on its way from a server, compressed on its way to the client; held back by both. */
export class CompressedFlow implements Flow, FlowSink {
  readonly #source: Flow;
  readonly #through: ReturnType<typeof encoder>;
  #sink: FlowSink | undefined;
  #over = false;

  constructor(source: Flow, coding: Coding) {
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
