import type { Flow, FlowSink } from "../../wire/http/message.ts";

/**
 * A body of pieces that are lent: each is good until the next one is asked for, which is when the sink
 * has no need of it any more. So two buffers serve a file of any size.
 */
export class LentFlow implements Flow {
  readonly #pieces: AsyncGenerator<Uint8Array, void>;
  readonly #over: () => void;
  #room: PromiseWithResolvers<void> | undefined;
  #cancelled = false;

  /** `over` is called once, at the end or when nobody wants the rest. */
  constructor(pieces: AsyncGenerator<Uint8Array, void>, over: () => void) {
    this.#pieces = pieces;
    this.#over = over;
  }

  start(sink: FlowSink): void {
    void this.#run(sink);
  }

  resume(): void {
    this.#room?.resolve();
  }

  cancel(): void {
    if (this.#cancelled) return;
    this.#cancelled = true;
    this.#room?.resolve();
    this.#over();
  }

  async #run(sink: FlowSink): Promise<void> {
    try {
      for await (const piece of this.#pieces) {
        if (this.#cancelled) return;
        this.#room = Promise.withResolvers();
        const wants = sink.lend?.(piece, 0, piece.length) ?? sink.write(piece, 0, piece.length);
        if (!wants) await this.#room.promise;
        if (this.#cancelled) return;
      }
      sink.end();
    } catch (error) {
      // The client sees that what it was promised is not there: the connection is cut.
      if (!this.#cancelled) sink.fail(error instanceof Error ? error : new Error(String(error)));
    }
    if (this.#cancelled) return;
    this.#cancelled = true;
    this.#over();
  }
}
