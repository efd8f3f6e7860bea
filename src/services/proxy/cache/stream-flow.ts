import type { Flow, FlowSink } from "../../../wire/http/message.ts";

/** A stream told as a flow. */
export function flowOfStream(stream: ReadableStream<Uint8Array>): Flow {
  const reader = stream.getReader();
  let room: (() => void) | undefined;
  let cancelled = false;
  const run = async (sink: FlowSink): Promise<void> => {
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (cancelled) return;
        if (done) return sink.end();
        if (!sink.write(value, 0, value.length))
          await new Promise<void>((resolve) => {
            room = resolve;
          });
      }
    } catch (error) {
      if (!cancelled) sink.fail(error instanceof Error ? error : new Error(String(error)));
    }
  };
  return {
    start: (sink) => void run(sink),
    resume: () => room?.(),
    cancel() {
      cancelled = true;
      room?.();
      void reader.cancel().catch(() => {}); // it broke by itself
    },
  };
}
