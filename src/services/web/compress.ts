/** Compression on the fly: small files at once, on the thread pool; large ones as a stream. */
import { read } from "node:fs";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip, zstdCompress } from "node:zlib";

import { encoder } from "../../net/encoder.ts";
import type { Coding } from "../../wire/http/encoding.ts";

/** Larger files are compressed as a stream: 1 MiB takes some 50 ms of one thread. Bytes. */
export const AT_ONCE = 1024 * 1024;

/** For what is made once and kept: about where each coding's curve flattens. */
const KEPT = { gzip: 6, br: 6, zstd: 9 } as const;

const toGzip = promisify(gzip);
const toBrotli = promisify<Uint8Array, object, Buffer>(brotliCompress);
const toZstd = promisify<Uint8Array, object, Buffer>(zstdCompress);
const readAt = promisify(read);

/** Bytes of the file given to the compressor at a time. */
const CHUNK = 64 * 1024;

export async function compress(coding: Coding, bytes: Uint8Array): Promise<Uint8Array> {
  switch (coding) {
    case "gzip":
      return toGzip(bytes, { level: KEPT.gzip });
    case "br":
      return toBrotli(bytes, {
        params: {
          [constants.BROTLI_PARAM_QUALITY]: KEPT.br,
          [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
        },
      });
    case "zstd":
      return toZstd(bytes, { params: { [constants.ZSTD_c_compressionLevel]: KEPT.zstd } });
  }
}

/** Where a stream's bytes also go, to be kept. */
export interface Sink {
  write(chunk: Uint8Array): Promise<void>;
  /** All of it was written. */
  commit(): Promise<void>;
  abort(): Promise<void>;
}

/**
 * The first `size` bytes of a file, compressed as they are asked for. Back-pressure holds: no more
 * than a few chunks are in memory. `done` is called once, at the end of it or when it is cancelled.
 */
export function compressed(
  coding: Coding,
  file: { readonly fd: number; readonly size: number },
  sink: Sink | undefined,
  done: () => void,
): ReadableStream<Uint8Array> {
  const pieces = pump(coding, file, sink);
  let over = false;
  const finish = (): void => {
    if (!over) done();
    over = true;
  };
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const next = await pieces.next();
          if (!next.done) return controller.enqueue(next.value);
          controller.close();
          finish();
        } catch (error) {
          finish();
          throw error;
        }
      },
      async cancel() {
        await pieces.return(undefined).finally(finish);
      },
    },
    { highWaterMark: 0 },
  );
}

async function* pump(
  coding: Coding,
  { fd, size }: { readonly fd: number; readonly size: number },
  sink: Sink | undefined,
): AsyncGenerator<Uint8Array, undefined> {
  const through = encoder(coding);
  let whole = false;
  try {
    const feeding = feed(through, fd, size);
    // Awaited below; a failure first shows as the compressor's end.
    feeding.catch((error: Error) => through.destroy(error));
    for await (const chunk of through) {
      await sink?.write(chunk as Uint8Array);
      yield chunk as Uint8Array;
    }
    await feeding;
    whole = true;
    return undefined;
  } finally {
    through.destroy();
    await (whole ? sink?.commit() : sink?.abort());
  }
}

/** Throws when the file ends early: what was sent must not pass for the whole. */
async function feed(through: ReturnType<typeof encoder>, fd: number, size: number): Promise<void> {
  for (let at = 0; at < size && !through.destroyed;) {
    const chunk = new Uint8Array(Math.min(CHUNK, size - at));
    const { bytesRead } = await readAt(fd, chunk, 0, chunk.length, at);
    if (bytesRead === 0) throw new Error("the file became shorter while it was sent");
    at += bytesRead;
    const room = through.write(bytesRead === chunk.length ? chunk : chunk.subarray(0, bytesRead));
    if (!room) await drained(through);
  }
  through.end();
}

/** There is room again, or never will be. */
function drained(through: ReturnType<typeof encoder>): Promise<void> {
  return new Promise((resolve) => {
    const go = (): void => {
      through.off("drain", go).off("close", go);
      resolve();
    };
    through.on("drain", go).on("close", go);
  });
}
