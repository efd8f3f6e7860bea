import type { Flow, FlowSink } from "../../../wire/http/message.ts";
import type { Filling } from "./filling.ts";

/** One who takes a filling, or a part of it. */
export class FillingReader implements Flow {
  at: number;
  readonly #filling: Filling;
  readonly #to: number;
  #sink: FlowSink | undefined;
  #wants = true;
  #telling = false;
  #again = false;
  #loading = false;

  constructor(filling: Filling, from: number, to: number) {
    this.#filling = filling;
    this.at = from;
    this.#to = to;
  }

  start(sink: FlowSink): void {
    this.#sink = sink;
    this.more();
  }

  resume(): void {
    this.#wants = true;
    this.more();
  }

  cancel(): void {
    this.#leave();
  }

  /** There may be more to tell. */
  more(): void {
    if (this.#telling) {
      this.#again = true; // told while the sink is: from where it will be then
      return;
    }
    this.#telling = true;
    do {
      this.#again = false;
      this.#tell();
    } while (this.#again);
    this.#telling = false;
    this.#filling.moved();
  }

  #tell(): void {
    const sink = this.#sink;
    if (sink === undefined || !this.#wants || this.#loading) return;
    let got: number | "over" | "elsewhere";
    try {
      got = this.#filling.tell(
        (bytes, from, to) => this.#give(sink, bytes, from, to),
        this.at,
        this.#to,
      );
    } catch (error) {
      this.#leave();
      return sink.fail(error instanceof Error ? error : new Error(String(error)));
    }
    if (got === "elsewhere") return void this.#load(sink);
    if (got !== "over") {
      this.at = got;
      return;
    }
    this.#leave();
    sink.end();
  }

  /** Fetch what is no longer in memory, then go on. */
  async #load(sink: FlowSink): Promise<void> {
    this.#loading = true;
    try {
      const bytes = await this.#filling.load(this.at, this.#to);
      this.#loading = false;
      if (this.#sink === undefined) return;
      this.at += bytes.length;
      this.#telling = true; // the sink may ask for more while it is told
      this.#give(sink, bytes, 0, bytes.length);
      this.#telling = false;
      this.more();
    } catch (error) {
      this.#loading = false;
      if (this.#sink === undefined) return;
      this.#leave();
      sink.fail(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #give(sink: FlowSink, bytes: Uint8Array, from: number, to: number): boolean {
    this.#wants = false;
    const more = sink.write(bytes, from, to);
    // It may have asked for more before it said that it has enough.
    this.#wants ||= more;
    return this.#wants && this.#sink !== undefined;
  }

  #leave(): void {
    this.#sink = undefined;
    this.#filling.remove(this);
  }
}
