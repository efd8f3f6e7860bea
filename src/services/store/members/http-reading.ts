import { type Facts, MemberError, type Reading, within } from "./member.ts";

/** The body of an answer, as a member reads it. `wanted` bytes, `skip` bytes behind its beginning. */
export class HttpReading implements Reading {
  readonly size: number;
  readonly mtime: number;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  readonly #gone: AbortController;
  /** Bytes in front of those wanted: of a server that knows no ranges. */
  #skip: number;
  #left: number;

  constructor(
    reader: ReadableStreamDefaultReader<Uint8Array> | undefined,
    { size, mtime }: Facts,
    skip: number,
    wanted: number,
    gone: AbortController,
  ) {
    this.#reader = reader;
    this.size = size;
    this.mtime = mtime;
    this.#skip = skip;
    this.#left = wanted;
    this.#gone = gone;
  }

  async next(): Promise<Uint8Array | undefined> {
    while (this.#left > 0) {
      const read = await this.#read();
      if (read === undefined) return undefined;
      const bytes = read.subarray(Math.min(this.#skip, read.length)).subarray(0, this.#left);
      this.#skip -= Math.min(this.#skip, read.length);
      this.#left -= bytes.length;
      if (bytes.length > 0) return bytes;
    }
    return undefined;
  }

  async #read(): Promise<Uint8Array | undefined> {
    const reading = this.#reader?.read();
    if (reading === undefined) return undefined;
    try {
      return (await within(reading, "a body")).value;
    } catch (error) {
      reading.catch(() => {}); // it is given up now
      this.close();
      if (error instanceof MemberError) throw error;
      throw new MemberError("away", "the body broke off", { cause: error });
    }
  }

  close(): void {
    // What was read to its end leaves its connection for others, once that end is seen.
    if (this.#left > 0 || this.#reader === undefined) this.#gone.abort();
    else
      this.#reader.read().then(
        ({ done }) => void (done || this.#gone.abort()),
        () => {}, // it broke behind all that was wanted
      );
  }
}
