/**
 * Bodies in `aws-chunked` coding: each chunk with its length and, mostly, a signature.
 *
 *     10000;chunk-signature=ad80c730...\r\n<bytes>\r\n ... 0;chunk-signature=b6c6ea8a...\r\n\r\n
 *
 * Behind the last one there may be trailers: checksums, which are read over.
 */

/** What has been read of a body. */
export type Piece =
  /** A whole chunk, the last one of no bytes too. */
  | {
      readonly kind: "chunk";
      readonly bytes: Uint8Array;
      /** Hex; undefined where chunks are not signed. */
      readonly signature: string | undefined;
    }
  /** A trailer, its name in lower case. */
  | { readonly kind: "trailer"; readonly name: string; readonly value: string };

/** Largest chunk: it is held as a whole, since only that can be verified. SDKs send 64 KiB to 1 MiB. */
const MAX_CHUNK = 16 * 2 ** 20;
/** Longest line: a length and a signature, or a trailer. */
const MAX_LINE = 1024;
const LINE = /^([0-9a-f]{1,8})(?:;chunk-signature=([0-9a-f]{64}))?$/i;
const CR = 13;
const LF = 10;

/** Feed it a body as it comes. */
export class AwsChunked {
  #held: Uint8Array = new Uint8Array();
  /** Behind `#held`: joined when there is enough, so that a long chunk is not copied again and again. */
  #more: Uint8Array[] = [];
  #length = 0;
  /** Of the chunk that is coming. */
  #head: { readonly length: number; readonly signature: string | undefined } | undefined;
  #state: "chunks" | "trailers" | "done" = "chunks";

  /** Its end has been seen. */
  get done(): boolean {
    return this.#state === "done";
  }

  /** What is whole now. "invalid" when it is no such body; then it is over. */
  feed(bytes: Uint8Array): Piece[] | "invalid" {
    this.#more.push(bytes);
    this.#length += bytes.length;
    if (this.#head !== undefined && this.#length < this.#head.length + 2) return [];
    this.#join();
    const pieces: Piece[] = [];
    for (;;) {
      const piece = this.#next();
      if (piece === "invalid") return piece;
      if (piece === undefined) {
        this.#length = this.#held.length;
        return pieces;
      }
      if (piece !== "nothing") pieces.push(piece);
    }
  }

  #join(): void {
    const all = [this.#held, ...this.#more].filter(({ length }) => length > 0);
    this.#more = [];
    const [only] = all;
    if (all.length === 1 && only !== undefined) return void (this.#held = only);
    this.#held = new Uint8Array(this.#length);
    let at = 0;
    for (const one of all) {
      this.#held.set(one, at);
      at += one.length;
    }
  }

  /** Undefined: more bytes are needed, or none are expected any more. */
  #next(): Piece | "nothing" | "invalid" | undefined {
    if (this.#state === "done") return this.#held.length === 0 ? undefined : "invalid";
    if (this.#state === "trailers") return this.#trailer();
    if (this.#head === undefined) {
      const line = this.#line();
      if (line === undefined) return undefined;
      const [, length, signature] = (line === false ? null : LINE.exec(line)) ?? [];
      if (length === undefined) return "invalid";
      this.#head = { length: Number.parseInt(length, 16), signature };
      if (this.#head.length > MAX_CHUNK) return "invalid";
    }
    const { length, signature } = this.#head;
    if (length === 0) {
      this.#state = "trailers";
      return { kind: "chunk", bytes: new Uint8Array(), signature };
    }
    if (this.#held.length < length + 2) return undefined;
    if (this.#held[length] !== CR || this.#held[length + 1] !== LF) return "invalid";
    const bytes = this.#held.subarray(0, length);
    this.#held = this.#held.subarray(length + 2);
    this.#head = undefined;
    return { kind: "chunk", bytes, signature };
  }

  #trailer(): Piece | "nothing" | "invalid" | undefined {
    const line = this.#line();
    if (line === undefined) return undefined;
    if (line === "") {
      this.#state = "done";
      return "nothing";
    }
    const colon = line === false ? -1 : line.indexOf(":");
    if (line === false || colon < 1) return "invalid";
    return {
      kind: "trailer",
      name: line.slice(0, colon).trim().toLowerCase(),
      value: line.slice(colon + 1).trim(),
    };
  }

  /** False: it is too long for one. */
  #line(): string | false | undefined {
    const end = this.#held.indexOf(LF);
    if (end < 0) return this.#held.length > MAX_LINE ? false : undefined;
    if (end > MAX_LINE) return false;
    const to = end > 0 && this.#held[end - 1] === CR ? end - 1 : end;
    const line = new TextDecoder("latin1").decode(this.#held.subarray(0, to));
    this.#held = this.#held.subarray(end + 1);
    return line;
  }
}
