import type { Flow, FlowSink } from "../../wire/http/message.ts";

/** Bytes of a flow that may wait for the client. */
const FLOW_AHEAD = 128 * 1024;

/**
 * A flow's body as the runtime wants it: its bytes when all of them are here already, of which the
 * runtime says the length; else a stream, of which it does not, held back when nobody reads.
 */
export function flowBody(flow: Flow): Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> {
  const taken = new Taken(flow);
  flow.start(taken);
  return taken.whole ? Buffer.concat(taken.pieces) : taken.stream();
}

/** What came of a flow: kept until there is a stream for it. */
class Taken implements FlowSink {
  readonly pieces: Uint8Array[] = [];
  readonly #flow: Flow;
  #bytes = 0;
  #end: "open" | "whole" | Error = "open";
  #waiting = false;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;

  constructor(flow: Flow) {
    this.#flow = flow;
  }

  get whole(): boolean {
    return this.#end === "whole";
  }

  write(bytes: Uint8Array, from: number, to: number): boolean {
    const piece = new Uint8Array(bytes.subarray(from, to)); // a Buffer's slice would be a view
    const controller = this.#controller;
    if (controller === undefined) {
      this.pieces.push(piece);
      this.#bytes += piece.length;
      this.#waiting = this.#bytes >= FLOW_AHEAD;
    } else {
      controller.enqueue(piece);
      this.#waiting = (controller.desiredSize ?? 0) <= 0;
    }
    return !this.#waiting;
  }

  end(): void {
    this.#end = "whole";
    this.#controller?.close();
  }

  fail(error: Error): void {
    this.#end = error;
    this.#controller?.error(error);
  }

  /** What came, and what comes. */
  stream(): ReadableStream<Uint8Array> {
    return new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          for (const piece of this.pieces) controller.enqueue(piece);
          this.pieces.length = 0;
          this.#controller = controller;
          if (this.#end instanceof Error) controller.error(this.#end);
        },
        pull: () => {
          if (!this.#waiting) return;
          this.#waiting = false; // before: it may have to wait again
          this.#flow.resume();
        },
        cancel: () => this.#flow.cancel(),
      },
      new ByteLengthQueuingStrategy({ highWaterMark: FLOW_AHEAD }),
    );
  }
}
