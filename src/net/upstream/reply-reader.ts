import { ChunkedDecoder } from "../../wire/http1/chunked.ts";
import { type Asked, parseReply, Reply } from "../../wire/http1/reply.ts";
import type { Trailer } from "../../wire/http1/trailers.ts";
import type { Asker } from "./asker.ts";
import { joined } from "./joined.ts";

/** One parsed head for the whole thread: readers take turns. */
const reply = new Reply();
const NO_TRAILERS: readonly Trailer[] = [];
/** More 1xx than this before a response are refused: a server that goes on for ever is broken. */
const MAX_INTERIM = 32;

const enum At {
  idle,
  head,
  length,
  chunked,
  untilClose,
  tunnel,
  whole,
  over,
}

/**
 * "whole": the response has ended. "bad": it is none that we take. "stray": nobody asked for these
 * bytes.
 */
export type Progress = "more" | "whole" | "bad" | "stray";

/** The responses that come on one connection, one at a time: bytes in, the asker is told. */
export class ReplyReader {
  readonly #maxHead: number;
  #asker: Asker | undefined;
  #asked: Asked = "other";
  #at = At.idle;
  #left = 0;
  #decoder: ChunkedDecoder | undefined;
  #carry: Uint8Array | undefined;
  /** A byte of the response came. */
  touched = false;
  /** 1xx so far. */
  interims = 0;
  /** Bytes came behind the response: nobody asked for them. */
  surplus = false;
  /** The server keeps the connection open behind this response. */
  keeps = true;
  /** Of a response that is whole. */
  trailers: readonly Trailer[] = NO_TRAILERS;

  constructor(maxHead: number) {
    this.#maxHead = maxHead;
  }

  /** Nothing is awaited. */
  get idle(): boolean {
    return this.#at === At.idle;
  }
  /** The head of the response is awaited, or the rest of it. */
  get inHead(): boolean {
    return this.#at === At.head;
  }
  /** The connection speaks another protocol. */
  get inTunnel(): boolean {
    return this.#at === At.tunnel;
  }

  /** A response to what was asked comes now. */
  await(asker: Asker, asked: Asked): void {
    this.#asker = asker;
    this.#asked = asked;
    this.#at = At.head;
    this.touched = false;
    this.interims = 0;
    this.surplus = false;
    this.keeps = true;
    this.trailers = NO_TRAILERS;
  }

  /** The response is told: the next one may be awaited. */
  rest(): void {
    this.#asker = undefined;
    this.#at = At.idle;
  }

  /** Read nothing more, tell nobody. */
  stop(): void {
    this.#asker = undefined;
    this.#at = At.over;
    this.#carry = undefined;
    this.#decoder = undefined;
  }

  read(bytes: Uint8Array, from: number, to: number): Progress {
    if (this.#carry === undefined) return this.#read(bytes, from, to);
    const all = joined(this.#carry, bytes, from, to);
    this.#carry = undefined;
    return this.#read(all, 0, all.length);
  }

  /** No more bytes come: does that make the response whole? */
  ended(): boolean {
    return this.#at === At.untilClose || this.#at === At.tunnel;
  }

  #read(bytes: Uint8Array, from: number, to: number): Progress {
    let at = from;
    while (at < to) {
      switch (this.#at) {
        case At.idle:
        case At.whole:
          return "stray";
        case At.over: // given up by whoever was told
          return "more";
        case At.head: {
          this.touched = true;
          const used = parseReply(bytes, at, to, reply, this.#asked, this.#maxHead);
          if (used === 0) {
            this.#carry = bytes.slice(at, to);
            return "more";
          }
          if (used < 0) return "bad";
          at += used;
          if (reply.interim && ++this.interims > MAX_INTERIM) return "bad";
          this.#head();
          break;
        }
        case At.length: {
          const take = Math.min(this.#left, to - at);
          this.#left -= take;
          this.#asker?.data(bytes, at, at + take);
          at += take;
          if (this.#left === 0) this.#whole();
          break;
        }
        case At.chunked: {
          const next = this.#chunks(bytes, at, to);
          if (next < 0) return "bad";
          at = next;
          break;
        }
        case At.untilClose:
        case At.tunnel:
          this.#asker?.data(bytes, at, to);
          at = to;
      }
      if (!this.#isWhole) continue;
      this.surplus = at < to;
      return "whole";
    }
    return "more";
  }

  get #isWhole(): boolean {
    return this.#at === At.whole;
  }

  #head(): void {
    if (reply.interim) return this.#asker?.interim(reply);
    this.keeps = reply.keepAlive;
    if (reply.status === 101) this.#at = At.tunnel;
    else if (reply.body === "length") {
      this.#at = At.length;
      this.#left = reply.contentLength;
    } else if (reply.body === "chunked") {
      this.#at = At.chunked;
      this.#decoder = new ChunkedDecoder(Number.MAX_SAFE_INTEGER);
    } else if (reply.body === "close") this.#at = At.untilClose;
    this.#asker?.head(reply);
    if (this.#at === At.head) this.#whole(); // there is no body
  }

  /** Answers where reading ended; -1 when the chunks are none. */
  #chunks(bytes: Uint8Array, from: number, to: number): number {
    const decoder = this.#decoder;
    if (decoder === undefined) return -1; // not while a body is chunked
    const at = decoder.push(bytes, from, to, (start, end) => this.#asker?.data(bytes, start, end));
    if (decoder.state === "done") {
      this.trailers = decoder.trailers;
      this.#whole();
    } else if (decoder.state !== "more") return -1;
    return at;
  }

  /** Unless whoever was told of its last bytes gave it up. */
  #whole(): void {
    if (this.#at === At.over) return;
    this.#decoder = undefined;
    this.#at = At.whole;
  }
}
