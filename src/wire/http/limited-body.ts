import type { Body, Flow, FlowSink, Trailer } from "./message.ts";

/** A body turned out longer than it may be. */
export class TooLong extends Error {
  override name = "TooLong";
  constructor() {
    super("the body is longer than allowed");
  }
}

/** A request's body that breaks off when it gets longer than `most` bytes. */
export function limitedStream(
  body: ReadableStream<Uint8Array>,
  most: number,
): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  let left = most;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await reader.read();
        if (done) return controller.close();
        left -= value.length;
        if (left >= 0) return controller.enqueue(value);
        void reader.cancel().catch(() => {}); // its end is known
        throw new TooLong();
      },
      cancel: (why) => reader.cancel(why),
    },
    { highWaterMark: 0 },
  );
}

/** What `fetch` was answered, with a body that breaks off likewise. */
export function limitedResponse(response: Response, most: number): Response {
  const { body } = response;
  return body === null ? response : new Response(limitedStream(body, most), response);
}

/** A response's body that breaks off likewise. */
export function limitedBody(body: Body, most: number): Body {
  return body.kind === "flow" ? { ...body, flow: new LimitedFlow(body.flow, most) } : body;
}

class LimitedFlow implements Flow, FlowSink {
  readonly #flow: Flow;
  #left: number;
  #sink: FlowSink | undefined;

  constructor(flow: Flow, most: number) {
    this.#flow = flow;
    this.#left = most;
  }
  start(sink: FlowSink): void {
    this.#sink = sink;
    this.#flow.start(this);
  }
  resume(): void {
    this.#flow.resume();
  }
  cancel(): void {
    this.#flow.cancel();
  }
  write(bytes: Uint8Array, from: number, to: number): boolean {
    this.#left -= to - from;
    const sink = this.#sink;
    if (sink === undefined) return false;
    if (this.#left >= 0) return sink.write(bytes, from, to);
    this.#sink = undefined;
    this.#flow.cancel();
    sink.fail(new TooLong());
    return false;
  }
  end(trailers?: readonly Trailer[]): void {
    this.#sink?.end(trailers);
  }
  fail(error: Error): void {
    this.#sink?.fail(error);
  }
  cork(): void {
    this.#sink?.cork?.();
  }
  uncork(): void {
    this.#sink?.uncork?.();
  }
}
