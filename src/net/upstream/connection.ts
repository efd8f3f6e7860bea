import { AGAIN, GONE } from "../../sys/socket.ts";
import type { Asker, AskFailure } from "./asker.ts";
import { joined } from "./joined.ts";
import { ReplyReader } from "./reply-reader.ts";
import type { Outgoing } from "./request-head.ts";
import type { Wire, WireListener } from "./wire.ts";

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
  readonly #reader: ReplyReader;
  #wire: Wire | undefined;
  #asker: Asker | undefined;
  #requestOver = true;
  #readTimeout = 0;
  /** When the exchange is given up, however lively it is. */
  #until = Infinity;
  #paused = false;
  #over = false;
  /** What the socket has not taken yet. */
  #pending: Uint8Array | undefined;

  constructor(home: Home) {
    this.#home = home;
    this.#reader = new ReplyReader(home.maxHead);
  }

  /** The wire it talks on: given once, before anything else. */
  attach(wire: Wire): void {
    this.#wire = wire;
  }

  get idle(): boolean {
    return this.#reader.idle;
  }

  /** Send the head of a request; a body, if it has one, follows by `send` and `finish`. */
  ask(asker: Asker, { head, headEnd, method, body, readTimeout, until }: Outgoing): void {
    this.#asker = asker;
    this.#reader.await(asker, method === "HEAD" ? "HEAD" : "other");
    this.#readTimeout = readTimeout;
    this.#until = until ?? Infinity;
    this.#requestOver = body === undefined;
    this.exchanges++;
    this.send(head, 0, headEnd);
  }

  /** Send bytes of the request's body, framed as its head says; not kept. False: wait for `room`. */
  send(bytes: Uint8Array, from: number, to: number): boolean {
    if (this.#over) return true; // it broke: the asker was told
    if (this.#pending !== undefined) {
      this.#pending = joined(this.#pending, bytes, from, to);
      return false;
    }
    const n = this.#wire?.write(bytes, from, to) ?? GONE;
    const taken = n === AGAIN ? 0 : n;
    const all = n === GONE || from + taken >= to; // gone: reading tells why, there may be a response
    if (!all) this.#pending = bytes.slice(from + taken, to);
    this.#await();
    return all;
  }

  /** The request is whole. */
  finish(): void {
    this.#requestOver = true;
    this.#await();
  }

  /** Behind a 101: nothing more will be sent, what comes is still told. */
  hangUp(): void {
    this.#wire?.finish();
  }

  /** Tell of no more data until `resume`. */
  pause(): void {
    this.#paused = true;
    this.#await();
    this.#wire?.pause();
  }
  resume(): void {
    this.#paused = false;
    this.#await();
    this.#wire?.resume();
  }

  /** Nobody wants the response any more. The asker is told nothing. */
  abort(): void {
    this.#end("abort");
  }

  /** Close it if no exchange is under way. */
  leave(): void {
    if (this.idle) this.#end("close");
  }

  /** The deadline passed. */
  late(): void {
    this.#fail("timeout");
  }

  feed(bytes: Uint8Array, from: number, to: number): void {
    const reader = this.#reader;
    const { interims } = reader;
    switch (reader.read(bytes, from, to)) {
      case "more":
        // A head that comes byte by byte has no more time than one that does not come.
        if (!reader.inHead || reader.interims > interims) this.#await();
        break;
      case "whole":
        this.#whole();
        break;
      case "bad":
        this.#fail("bad");
        break;
      case "stray": // whose response would it be?
        this.#end("abort");
    }
    this.#asker?.lull();
  }

  ended(): void {
    if (!this.#reader.ended()) return this.#fail("closed");
    this.#reader.keeps = false;
    this.#whole();
  }

  broken(): void {
    this.#fail("closed");
  }

  writable(): void {
    const pending = this.#pending;
    if (pending === undefined) return;
    const n = this.#wire?.write(pending, 0, pending.length) ?? GONE;
    if (n === AGAIN) return;
    this.#pending = n === GONE || n === pending.length ? undefined : pending.subarray(n);
    this.#await();
    if (this.#pending === undefined) this.#asker?.room();
  }

  /** The response is whole. */
  #whole(): void {
    const asker = this.#asker;
    const { keeps, surplus, trailers } = this.#reader;
    this.#asker = undefined;
    if (keeps && !surplus && this.#requestOver && this.#pending === undefined) {
      this.#reader.rest();
      this.deadline = Infinity;
      // The end of a body may have been held back: what comes now is no part of it.
      this.#paused = false;
      this.#wire?.resume();
      this.idleSince = this.#home.now;
      this.#home.free(this);
    } else this.#end("close");
    asker?.end(trailers);
  }

  #fail(why: AskFailure): void {
    const asker = this.#asker;
    const untouched = !this.#reader.touched;
    this.#end(why === "closed" ? "close" : "abort");
    asker?.failed(why, untouched);
  }

  #end(how: "close" | "abort"): void {
    if (this.#over) return;
    this.#over = true;
    this.deadline = Infinity;
    this.#asker = undefined;
    this.#pending = undefined;
    this.#reader.stop();
    this.#wire?.[how]();
    this.#home.gone(this);
  }

  /** The server's time begins anew, unless others are awaited: the client with its body, or with its reading. */
  #await(): void {
    const reader = this.#reader;
    if (this.#over || reader.idle) return;
    if (reader.inTunnel) {
      this.deadline = Infinity;
      return;
    }
    const client = this.#paused || (!this.#requestOver && this.#pending === undefined);
    this.deadline = client
      ? this.#until
      : Math.min(this.#home.now + this.#readTimeout, this.#until);
  }
}
