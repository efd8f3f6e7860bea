import { type Facts, MemberError, type Reading, STALL_MS, within } from "./member.ts";

/** Longest answer that is read as a whole: a list of a directory. Bytes. */
export const MAX_DOCUMENT: number = 64 * 2 ** 20;
/** Longest time that one takes. Milliseconds. */
export const DOCUMENT_MS: number = 10 * STALL_MS;

/** How a member asks its server for a file, and what an answer `A` means. */
export interface HttpFile<A> {
  get(headers: Record<string, string>, signal: AbortSignal): Promise<A>;
  /** What there is of it, when what was asked for lies behind its end. */
  facts(): Promise<Facts | undefined>;
  /** Nothing is there. */
  isMissing(answer: A): boolean;
  factsOf(headers: Headers, size: number): Facts;
  failed(answer: A): MemberError | Promise<MemberError>;
}

/** Fields of a request for bytes [from, to) (RFC 9110, 14.2). */
export function rangeFields(from: number, to: number): Record<string, string> {
  const encoding = { "accept-encoding": "identity" };
  if (from === 0 && to === Infinity) return encoding;
  return { ...encoding, range: `bytes=${from}-${to === Infinity ? "" : to - 1}` };
}

/** Of an answer to that: bytes of the whole file, and where in the body those are that were asked for. */
export interface Part {
  readonly size: number;
  readonly skip: number;
  readonly wanted: number;
}

export function partOf(
  { status, headers }: { readonly status: number; readonly headers: Headers },
  from: number,
  to: number,
): Part {
  const range = /^bytes (\d+)-\d+\/(\d+)$/.exec(headers.get("content-range") ?? "");
  const size = range ? Number(range[2]) : Number(headers.get("content-length") ?? 0);
  // A server that knows no ranges sends all of it.
  const skip = status === 206 ? from - Number(range?.[1] ?? from) : from;
  return { size, skip, wanted: Math.max(0, Math.min(to, size) - from) };
}

/** Read bytes [from, to) by GET and Range (RFC 9110, 14). Undefined: nothing is there. */
export async function readOverHttp(
  file: HttpFile<Response>,
  from: number,
  to: number,
  signal?: AbortSignal,
): Promise<Reading | undefined> {
  const gone = new AbortController();
  const signals = [gone.signal, ...(signal ? [signal] : [])];
  const response = await file.get(rangeFields(from, to), AbortSignal.any(signals));
  const { status, body } = response;
  if (file.isMissing(response)) {
    drop(response);
    return undefined;
  }
  if (status === 416) {
    drop(response);
    const facts = await file.facts();
    return facts && new HttpReading(undefined, facts, 0, 0, gone);
  }
  if (status !== 200 && status !== 206) throw await file.failed(response);
  const { size, skip, wanted } = partOf(response, from, to);
  return new HttpReading(
    body?.getReader(),
    file.factsOf(response.headers, size),
    skip,
    wanted,
    gone,
  );
}

/** The body of an answer, as a member reads it. `wanted` bytes, `skip` bytes behind its beginning. */
class HttpReading implements Reading {
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

/**
 * All of a body, which is a document. Rejects with a `MemberError` that begins with `what` when it is longer than
 * MAX_DOCUMENT, or takes too long.
 */
export async function wholeOf({ body }: Response, what: string): Promise<Uint8Array> {
  if (body === null) return new Uint8Array();
  const reader = body.getReader();
  const pieces: Uint8Array[] = [];
  const read = async (): Promise<Uint8Array> => {
    for (let size = 0; ;) {
      const { done, value } = await reader.read();
      if (done) return Buffer.concat(pieces);
      size += value.length;
      if (size > MAX_DOCUMENT) throw new MemberError("failed", `${what}: too long`);
      pieces.push(value);
    }
  };
  try {
    return await within(read(), what, DOCUMENT_MS);
  } catch (error) {
    reader.cancel().catch(() => {}); // it has broken off meanwhile
    throw error;
  }
}

/** Nobody wants to read the answer. */
export function drop({ body }: Response): void {
  body?.cancel().catch(() => {}); // it has broken off meanwhile
}

/** As `fetch` sends it, no faster than it is taken. */
export function streamOf(reading: Reading): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const bytes = await reading.next();
        if (bytes === undefined) controller.close();
        else controller.enqueue(bytes);
      },
    },
    { highWaterMark: 0 },
  );
}
