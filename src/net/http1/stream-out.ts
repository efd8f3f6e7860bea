import { CHUNK_END, LAST_CHUNK, MAX_CHUNK_HEAD, writeChunkHead } from "../../wire/http1/chunked.ts";
import type { Outbox } from "./outbox.ts";
import type { Framing } from "./response-writer.ts";

const chunkHead = new Uint8Array(MAX_CHUNK_HEAD);

export interface StreamNeeds {
  /** The connection is gone. */
  over(): boolean;
  /** Resolves when nothing waits for the peer any more, or never will. */
  room(): Promise<void>;
}

/**
 * Send a body that comes bit by bit, no faster than the peer takes it. Answers whether all of it
 * is on its way; false when the connection went first. Throws what the stream threw, or when it is
 * not as long as it was said to be: then only a broken connection tells the client.
 */
export async function streamOut(
  stream: ReadableStream<Uint8Array>,
  framing: Framing,
  out: Outbox,
  needs: StreamNeeds,
): Promise<boolean> {
  const reader = stream.getReader();
  const chunked = framing.kind === "chunked";
  let left = framing.kind === "length" ? framing.length : Infinity;
  for (;;) {
    const { done, value } = await reader.read();
    if (needs.over()) {
      void reader.cancel().catch(() => {});
      return false;
    }
    if (done) break;
    if (value.length === 0) continue;
    left -= value.length;
    if (left < 0) {
      void reader.cancel().catch(() => {});
      throw new Error("the body is longer than its Content-Length");
    }
    if (chunked) out.put(chunkHead.subarray(0, writeChunkHead(value.length, chunkHead, 0)));
    out.put(value);
    if (chunked) out.put(CHUNK_END);
    out.flush(false);
    if (!out.empty) await needs.room();
  }
  if (framing.kind === "length" && left > 0)
    throw new Error("the body is shorter than its Content-Length");
  if (chunked) out.put(LAST_CHUNK);
  out.flush(false); // whoever waits for us runs later, others may run before
  return true;
}
