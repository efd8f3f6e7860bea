/**
 * Chunked transfer coding (RFC 9112, 7.1), strict: what two readers could frame differently is
 * refused. Sizes are bare hex digits, every line ends with CRLF, and what is not data is bounded.
 *
 *     5;ext=1 CRLF  hello CRLF  0 CRLF  trailer: x CRLF  CRLF
 */
import { isSendable } from "./response-head.ts";
import { parseTrailers, type Trailer } from "./trailers.ts";

/** "large": the data is longer than allowed, answer 413. "bad": answer 400. Both end the connection. */
export type ChunkedState = "more" | "done" | "bad" | "large";

/** Extension bytes in one body: nobody uses them but to make much work with few data. */
const MAX_EXTENSIONS = 16 * 1024;
/** Bytes of all trailer lines. */
const MAX_TRAILERS = 8 * 1024;
/** Hex digits of a size, leading zeros included. */
const MAX_DIGITS = 16;

const enum At {
  size,
  digits,
  space,
  extension,
  sizeEnd,
  data,
  dataCr,
  dataLf,
  trailer,
}

const CR = 13;
const LF = 10;
const HT = 9;
const SP = 32;
const SEMICOLON = 59;
const DEL = 127;

export class ChunkedDecoder {
  /** Bytes of data so far. */
  length = 0;
  /** Fields behind the last chunk, without those that may not come there; empty until "done". */
  trailers: readonly Trailer[] = [];

  readonly #maxData: number;
  #state: ChunkedState = "more";
  #at = At.size;
  /** Of the chunk: its size while that is read, then what is still to come. */
  #left = 0;
  #digits = 0;
  #extensions = 0;
  #lines: number[] = [];

  /** `maxData` bounds the data of the whole body in bytes. */
  constructor(maxData: number) {
    this.#maxData = maxData;
  }

  get state(): ChunkedState {
    return this.#state;
  }

  /**
   * Read `bytes[from, to)`. `data` is called with the bounds of each run of data in `bytes`: use it
   * before returning. Returns where reading ended: `to` while "more", behind the body when "done".
   */
  push(
    bytes: Uint8Array,
    from: number,
    to: number,
    data: (from: number, to: number) => void,
  ): number {
    let at = from;
    while (at < to && this.#state === "more") {
      if (this.#at === At.data) {
        const end = Math.min(to, at + this.#left);
        data(at, end);
        this.#left -= end - at;
        at = end;
        if (this.#left === 0) this.#at = At.dataCr;
      } else this.#step(bytes[at++] ?? 0);
    }
    return at;
  }

  #step(c: number): void {
    switch (this.#at) {
      case At.size:
      case At.digits:
        return this.#size(c);
      case At.space: // BWS may stand before ";" (7.1.1), not before the end of the line
        if (c === SEMICOLON) return this.#extension();
        return c === SP || c === HT ? this.#count() : this.#fail();
      case At.extension:
        if (c === CR) return this.#go(At.sizeEnd);
        return (c >= SP && c !== DEL) || c === HT ? this.#count() : this.#fail();
      case At.sizeEnd:
        return c === LF ? this.#begin() : this.#fail();
      case At.dataCr:
        return c === CR ? this.#go(At.dataLf) : this.#fail();
      case At.dataLf:
        this.#left = 0;
        this.#digits = 0;
        return c === LF ? this.#go(At.size) : this.#fail();
      case At.trailer:
        return this.#trailer(c);
      case At.data:
        return undefined; // taken whole in push
    }
  }

  #size(c: number): void {
    const digit = hexDigit(c);
    if (digit >= 0) {
      this.#left = this.#left * 16 + digit;
      if (++this.#digits > MAX_DIGITS || this.#left > Number.MAX_SAFE_INTEGER) return this.#fail();
      return this.#go(At.digits);
    }
    if (this.#digits === 0) return this.#fail();
    if (c === CR) return this.#go(At.sizeEnd);
    if (c === SEMICOLON) return this.#extension();
    return c === SP || c === HT ? this.#go(At.space) : this.#fail();
  }

  /** The size line is over: data comes, or behind the last chunk trailers. */
  #begin(): void {
    if (this.#left === 0) return this.#go(At.trailer);
    this.length += this.#left;
    if (this.length > this.#maxData) this.#state = "large";
    else this.#at = At.data;
  }

  #extension(): void {
    this.#at = At.extension;
    this.#count();
  }

  #count(): void {
    if (++this.#extensions > MAX_EXTENSIONS) this.#fail();
  }

  /** Lines are kept until the empty one, then read together. */
  #trailer(c: number): void {
    const lines = this.#lines;
    lines.push(c);
    const n = lines.length;
    // A bare LF ends nothing and a bare CR is refused with its line by parseTrailers.
    const empty =
      c === LF && lines[n - 2] === CR && (n === 2 || (lines[n - 3] === LF && lines[n - 4] === CR));
    if (empty) {
      const trailers = parseTrailers(Uint8Array.from(lines));
      if (trailers === undefined) return this.#fail();
      this.trailers = trailers;
      this.#lines = [];
      this.#state = "done";
    } else if (n > MAX_TRAILERS) this.#fail();
  }

  #go(at: At): void {
    this.#at = at;
  }

  #fail(): void {
    this.#state = "bad";
    this.#lines = [];
  }
}

/** The longest chunk head: 14 digits of 2^53 and CRLF. */
export const MAX_CHUNK_HEAD = 16;
/** Behind the data of every chunk. */
export const CHUNK_END = Uint8Array.of(CR, LF);
/** Ends the body, without trailers. */
export const LAST_CHUNK = Uint8Array.of(48, CR, LF, CR, LF);

/** Ends the body, with fields behind it. Those that could be read as something else are left out. */
export function lastChunk(trailers: readonly Trailer[]): Uint8Array {
  let text = "0\r\n";
  for (const [name, value] of trailers)
    if (isSendable(name, value)) text += `${name}: ${value}\r\n`;
  return Buffer.from(`${text}\r\n`, "latin1");
}

/** Write the head of a chunk of `length` > 0 bytes at `at`; answers where its data begins. */
export function writeChunkHead(length: number, into: Uint8Array, at: number): number {
  let digits = 1;
  for (let rest = length; rest >= 16; rest = Math.floor(rest / 16)) digits++;
  const end = at + digits;
  for (let i = end - 1, rest = length; i >= at; i--, rest = Math.floor(rest / 16)) {
    const digit = rest % 16;
    into[i] = digit < 10 ? 48 + digit : 87 + digit;
  }
  into[end] = CR;
  into[end + 1] = LF;
  return end + 2;
}

function hexDigit(c: number): number {
  if (c >= 48 && c <= 57) return c - 48;
  const lower = c | 0x20;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}
