import type { DirectAnswer } from "./direct-answer.ts";
import { type HttpFile, partOf, rangeFields } from "./http-reading.ts";
import type { Facts, Reading } from "./member.ts";

/** Bytes given at once to whoever brings no room for them, and passed by at once. */
const CHUNK = 128 * 1024;

/** What is asked of a file, but for how it is given up. */
type DirectFile = Omit<HttpFile<DirectAnswer>, "get"> & {
  get(headers: Record<string, string>): Promise<DirectAnswer>;
};

/** Read bytes [from, to) by GET and Range. Undefined: nothing is there. */
export async function readDirectly(
  file: DirectFile,
  from: number,
  to: number,
): Promise<Reading | undefined> {
  const answer = await file.get(rangeFields(from, to));
  const { status } = answer;
  if (status !== 200 && status !== 206) {
    await answer.pass(); // an error's page; what is wanted is its status
    if (file.isMissing(answer)) return undefined;
    if (status !== 416) throw await file.failed(answer);
    const facts = await file.facts();
    return facts && { ...facts, next: async () => undefined, close() {} };
  }
  const { size, skip, wanted } = partOf(answer, from, to);
  return new DirectReading(answer, file.factsOf(answer.headers, size), skip, wanted);
}

/** `wanted` bytes of an answer's body, `skip` bytes behind its beginning. */
class DirectReading implements Reading {
  readonly size: number;
  readonly mtime: number;
  readonly #answer: DirectAnswer;
  /** Bytes in front of those wanted: of a server that knows no ranges. */
  #skip: number;
  #left: number;

  constructor(answer: DirectAnswer, { size, mtime }: Facts, skip: number, wanted: number) {
    this.#answer = answer;
    this.size = size;
    this.mtime = mtime;
    this.#skip = skip;
    this.#left = wanted;
  }

  async next(room?: Uint8Array): Promise<Uint8Array | undefined> {
    while (this.#skip > 0) {
      const passed = await this.#answer.next(new Uint8Array(Math.min(CHUNK, this.#skip)));
      if (passed === undefined) return undefined;
      this.#skip -= passed.length;
    }
    if (this.#left === 0) return undefined;
    const length = Math.min(this.#left, room?.length ?? CHUNK);
    const bytes = await this.#answer.next(room?.subarray(0, length) ?? new Uint8Array(length));
    this.#left -= bytes?.length ?? 0;
    return bytes;
  }

  close(): void {
    this.#answer.close();
  }
}
