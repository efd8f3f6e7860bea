import { TooLong } from "../../wire/http/limited-body.ts";
import type { Trailer } from "../../wire/http/message.ts";
import { CHUNK_END, lastChunk, MAX_CHUNK_HEAD, writeChunkHead } from "../../wire/http1/chunked.ts";
import type { UpstreamConnection } from "./connection.ts";

/** Why the rest of a request's body does not come: the client is gone, or it is not as long as it may be. */
export type UploadFailure = "gone" | "large" | "short";

export interface UploadManner {
  /** Bytes it has; undefined when only its end tells: it is sent in chunks. */
  readonly length: number | undefined;
  /** Fields behind it, asked for at its end. */
  readonly trailers: (() => readonly Trailer[]) | undefined;
  /** The rest of it will not come. */
  broken(why: UploadFailure): void;
}

/** A request's body on its way to a server, no faster than it takes it. */
export class Upload {
  /** Bytes of body so far. */
  sent = 0;
  readonly #connection: UpstreamConnection;
  readonly #manner: UploadManner;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  #stopped = false;
  #roomCame: (() => void) | undefined;

  constructor(
    body: ReadableStream<Uint8Array>,
    connection: UpstreamConnection,
    manner: UploadManner,
  ) {
    this.#reader = body.getReader();
    this.#connection = connection;
    this.#manner = manner;
  }

  /** Resolves when the body is sent or stopped. Never rejects. */
  async run(): Promise<void> {
    const { length, trailers } = this.#manner;
    const connection = this.#connection;
    const chunked = length === undefined;
    try {
      for (;;) {
        const { done, value } = await this.#reader.read();
        if (this.#stopped) return;
        if (done) break;
        if (value.length === 0) continue;
        // What came by HTTP/2 is framed anew here: bytes beyond its length would be another request.
        if (!chunked && this.sent + value.length > length) return this.#break("large");
        this.sent += value.length;
        const bytes = chunked ? asChunk(value) : value;
        if (!connection.send(bytes, 0, bytes.length)) await this.#untilRoom();
        if (this.#stopped) return;
      }
    } catch (error) {
      return this.#break(error instanceof TooLong ? "large" : "gone");
    }
    if (!chunked && this.sent < length) return this.#break("short");
    this.#stopped = true;
    if (chunked) {
      const end = lastChunk(trailers?.() ?? []);
      connection.send(end, 0, end.length);
    }
    connection.finish();
  }

  /** The server takes more. */
  room(): void {
    this.#roomCame?.();
    this.#roomCame = undefined;
  }

  /** The rest is not wanted. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.room();
    void this.#reader.cancel().catch(() => {});
  }

  #break(why: UploadFailure): void {
    if (this.#stopped) return;
    this.stop();
    this.#manner.broken(why);
  }

  #untilRoom(): Promise<void> {
    return new Promise((resolve) => {
      this.#roomCame = resolve;
    });
  }
}

function asChunk(data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(MAX_CHUNK_HEAD + data.length + CHUNK_END.length);
  const at = writeChunkHead(data.length, bytes, 0);
  bytes.set(data, at);
  bytes.set(CHUNK_END, at + data.length);
  return bytes.subarray(0, at + data.length + CHUNK_END.length);
}
