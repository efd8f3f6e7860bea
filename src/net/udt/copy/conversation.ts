import type { GenericSchema, InferOutput } from "valibot";

import type { UdtStream } from "../stream.ts";
import { emitWord, MAX_WORD, parseWord } from "./words.ts";

const BUFFER = 128 * 1024;

/** The other end said what nobody understands, or stopped in the middle. */
export class Misunderstood extends Error {
  override name = "Misunderstood";
}

/** Reads a stream by exact amounts, and words. One buffer, made once. */
export class Conversation {
  readonly stream: UdtStream;
  readonly #buffer = new Uint8Array(new ArrayBuffer(BUFFER));
  #from = 0;
  #to = 0;

  constructor(stream: UdtStream) {
    this.stream = stream;
  }

  /** The next `count` bytes, at most BUFFER: good until the next call. Throws when the stream ends before. */
  async exactly(count: number): Promise<Uint8Array> {
    while (this.#to - this.#from < count) await this.#more(count);
    return this.#take(count);
  }

  /** Some of the next bytes, at most `count`: good until the next call. Throws at the end. */
  async some(count: number): Promise<Uint8Array> {
    if (this.#from === this.#to) await this.#more(1);
    return this.#take(Math.min(count, this.#to - this.#from));
  }

  /** The next bytes without taking them. */
  async peek(count: number): Promise<Uint8Array> {
    const bytes = await this.exactly(count);
    this.#from -= count;
    return bytes;
  }

  async length(): Promise<number> {
    const bytes = await this.exactly(4);
    return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
  }

  /** The next word. Throws Misunderstood when it is another. */
  async word<const S extends GenericSchema>(schema: S): Promise<InferOutput<S>> {
    const length = await this.length();
    const word = length <= MAX_WORD ? parseWord(schema, await this.exactly(length)) : undefined;
    if (word === undefined)
      throw new Misunderstood(`${this.stream.peer}: what it says makes no sense`);
    return word;
  }

  async say(word: object): Promise<void> {
    await this.stream.write(emitWord(word));
  }

  #take(count: number): Uint8Array {
    this.#from += count;
    return this.#buffer.subarray(this.#from - count, this.#from);
  }

  async #more(count: number): Promise<void> {
    const buffer = this.#buffer;
    if (this.#from === this.#to) this.#from = this.#to = 0;
    else if (this.#from + count > buffer.length) {
      buffer.copyWithin(0, this.#from, this.#to);
      this.#to -= this.#from;
      this.#from = 0;
    }
    const n = await this.stream.read(buffer.subarray(this.#to));
    if (n === 0) throw new Misunderstood(`${this.stream.peer}: it ended too early`);
    this.#to += n;
  }
}
