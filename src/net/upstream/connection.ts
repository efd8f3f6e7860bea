import { AGAIN, GONE } from "../../sys/socket.ts";
import { ChunkedDecoder } from "../../wire/http1/chunked.ts";
import { type Asked, LARGE_REPLY, parseReply, Reply } from "../../wire/http1/reply.ts";
import type { Trailer } from "../../wire/http1/trailers.ts";
import type { Asker, AskFailure } from "./asker.ts";
import type { Wire, WireListener } from "./wire.ts";

/** One parsed head for the whole thread: connections take turns. */
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
  over,
}

/** Whose connection it is. */
export interface Home {
  /** Longest head of a response in bytes. */
  readonly maxHead: number;
  /** The reactor's time. */
  readonly now: number;
  /** It is free for another exchange. */
  free(connection: UpstreamConnection): void;
  /** It is closed. */
  gone(connection: UpstreamConnection): void;
}

/**
 * One HTTP/1.1 connection to a server, for one exchange at a time: `ask`, then `send` and `finish`
 * for a body. The asker is told of the response as it comes.
 */
export class UpstreamConnection implements WireListener {
  /** When `late` should be called. */
  deadline = Infinity;
  /** Free since. */
  idleSince = 0;
  /** Exchanges so far, the one under way included. */
  exchanges = 0;
  readonly #home: Home;
  #wire: Wire | undefined;
  #asker: Asker | undefined;
  #asked: Asked = "other";
  #at = At.idle;
  #left = 0;
  #decoder: ChunkedDecoder | undefined;
  #keep = true;
  #requestOver = true;
  #touched = false;
  #interim = 0;
  #readTimeout = 0;
  /** Bytes came behind the response: nobody asked for them. */
  #surplus = false;
  #carry: Uint8Array | undefined;
  /** What the socket has not taken yet. */
  #pending: Uint8Array | undefined;

  constructor(home: Home) {
    this.#home = home;
  }

  /** The wire it talks on: given once, before anything else. */
  attach(wire: Wire): void {
    this.#wire = wire;
  }

  get idle(): boolean {
    return this.#at === At.idle;
  }

  /**
   * Send a request head. `last`: no body follows. `readTimeout`: how long the server may be silent,
   * in ms. False: wait for `room` before more.
   */
  ask(
    asker: Asker,
    asked: Asked,
    head: Uint8Array,
    headEnd: number,
    last: boolean,
    readTimeout: number,
  ): boolean {
    this.#asker = asker;
    this.#asked = asked;
    this.#readTimeout = readTimeout;
    this.#interim = 0;
    this.#at = At.head;
    this.#keep = true;
    this.#touched = false;
    this.#surplus = false;
    this.#requestOver = last;
    this.exchanges++;
    return this.send(head, 0, headEnd);
  }

  /** Send bytes of the request's body, framed as its head says; not kept. False: wait for `room`. */
  send(bytes: Uint8Array, from: number, to: number): boolean {
    this.#await();
    if (this.#at === At.over) return true; // it broke: the asker was told
    if (this.#pending !== undefined) {
      this.#pending = joined(this.#pending, bytes, from, to);
      return false;
    }
    const n = this.#wire?.write(bytes, from, to) ?? GONE;
    if (n === GONE) return true; // reading tells why: there may be a response
    const taken = n === AGAIN ? 0 : n;
    if (from + taken >= to) return true;
    this.#pending = bytes.slice(from + taken, to);
    return false;
  }

  /** The request is whole. */
  finish(): void {
    this.#requestOver = true;
  }

  /** Behind a 101: nothing more will be sent, what comes is still told. */
  hangUp(): void {
    this.#wire?.finish();
  }

  /** Tell of no more data until `resume`. */
  pause(): void {
    this.deadline = Infinity; // it is not the server who is slow
    this.#wire?.pause();
  }
  resume(): void {
    this.#await();
    this.#wire?.resume();
  }

  /** Nobody wants the response any more. The asker is told nothing. */
  abort(): void {
    this.#asker = undefined;
    this.#end("abort");
  }

  /** Close it if no exchange is under way. */
  leave(): void {
    if (this.#at === At.idle) this.#end("close");
  }

  /** The deadline passed. */
  late(): void {
    this.#fail("timeout");
  }

  feed(bytes: Uint8Array, from: number, to: number): void {
    if (this.#carry === undefined) this.#read(bytes, from, to);
    else {
      const all = joined(this.#carry, bytes, from, to);
      this.#carry = undefined;
      this.#read(all, 0, all.length);
    }
    this.#asker?.lull();
  }

  ended(): void {
    if (this.#at === At.untilClose || this.#at === At.tunnel) {
      this.#keep = false;
      return this.#whole(NO_TRAILERS);
    }
    this.#fail("closed");
  }

  broken(): void {
    this.#fail("closed");
  }

  writable(): void {
    const pending = this.#pending;
    if (pending === undefined) return;
    const n = this.#wire?.write(pending, 0, pending.length) ?? GONE;
    if (n === AGAIN) return;
    if (n === GONE || n === pending.length) this.#pending = undefined;
    else this.#pending = pending.subarray(n);
    this.#await();
    if (this.#pending === undefined) this.#asker?.room();
  }

  #read(bytes: Uint8Array, from: number, to: number): void {
    let at = from;
    // A head that comes byte by byte has no more time than one that does not come.
    if (this.#at !== At.head) this.#await();
    while (at < to && this.#at !== At.over) {
      switch (this.#at) {
        case At.idle: // nobody asked for them: whose response would they be?
          return this.#end("abort");
        case At.head: {
          this.#touched = true;
          const used = parseReply(bytes, at, to, reply, this.#asked, this.#home.maxHead);
          if (used === 0) {
            this.#carry = bytes.slice(at, to);
            return;
          }
          if (used < 0) return this.#fail("bad", used === LARGE_REPLY);
          at += used;
          this.#surplus = at < to;
          if (reply.interim && ++this.#interim > MAX_INTERIM) return this.#fail("bad");
          this.#await();
          this.#begin();
          break;
        }
        case At.length: {
          const take = Math.min(this.#left, to - at);
          this.#left -= take;
          this.#asker?.data(bytes, at, at + take);
          at += take;
          this.#surplus = at < to;
          if (this.#left === 0) this.#whole(NO_TRAILERS);
          break;
        }
        case At.chunked:
          at = this.#chunks(bytes, at, to);
          break;
        case At.untilClose:
        case At.tunnel:
          this.#asker?.data(bytes, at, to);
          at = to;
      }
    }
  }

  /** A head has been read. */
  #begin(): void {
    if (reply.interim) return this.#asker?.interim(reply);
    this.#keep = reply.keepAlive;
    if (reply.status === 101 || (this.#asked === "CONNECT" && reply.status < 300))
      this.#at = At.tunnel;
    else if (reply.body === "length") {
      this.#at = At.length;
      this.#left = reply.contentLength;
    } else if (reply.body === "chunked") {
      this.#at = At.chunked;
      this.#decoder = new ChunkedDecoder(Number.MAX_SAFE_INTEGER);
    } else if (reply.body === "close") this.#at = At.untilClose;
    const whole = reply.body === "none" && this.#at !== At.tunnel;
    this.#asker?.head(reply);
    if (whole && this.#at === At.head) this.#whole(NO_TRAILERS);
  }

  #chunks(bytes: Uint8Array, from: number, to: number): number {
    const decoder = this.#decoder;
    if (decoder === undefined) return to; // not while a body is chunked
    const at = decoder.push(bytes, from, to, (start, end) => this.#asker?.data(bytes, start, end));
    this.#surplus = at < to;
    if (decoder.state === "done") this.#whole(decoder.trailers);
    else if (decoder.state !== "more") this.#fail("bad");
    return at;
  }

  /** The response is whole. */
  #whole(trailers: readonly Trailer[]): void {
    if (this.#at === At.over) return;
    const asker = this.#asker;
    this.#asker = undefined;
    this.#decoder = undefined;
    this.deadline = Infinity;
    if (this.#keep && this.#requestOver && this.#pending === undefined && !this.#surplus) {
      this.#at = At.idle;
      this.#wire?.resume(); // the end of a body may have been held back: what comes now is no part of it
      this.idleSince = this.#home.now;
      this.#home.free(this);
    } else this.#end("close");
    asker?.end(trailers);
  }

  #fail(why: AskFailure, large = false): void {
    if (this.#at === At.over) return;
    const asker = this.#asker;
    this.#asker = undefined;
    const untouched = !this.#touched && !large;
    this.#end(why === "closed" ? "close" : "abort");
    asker?.failed(why, untouched);
  }

  #end(how: "close" | "abort"): void {
    if (this.#at === At.over) return;
    this.#at = At.over;
    this.deadline = Infinity;
    this.#pending = undefined;
    this.#carry = undefined;
    this.#wire?.[how]();
    this.#home.gone(this);
  }

  /** The server's time begins anew. */
  #await(): void {
    if (this.#at !== At.idle && this.#at !== At.tunnel)
      this.deadline = this.#home.now + this.#readTimeout;
  }
}

function joined(before: Uint8Array, bytes: Uint8Array, from: number, to: number): Uint8Array {
  const all = new Uint8Array(before.length + to - from);
  all.set(before);
  all.set(bytes.subarray(from, to), before.length);
  return all;
}
