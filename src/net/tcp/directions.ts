import { address, block } from "../../sys/memory.ts";
import type { Pipe } from "../../sys/pipe.ts";
import * as socket from "../../sys/socket.ts";
import { splice } from "../../sys/splice.ts";
import { BROKEN, HALF_CLOSED, type Reactor } from "../reactor.ts";
import { FIRST_ROWS, grown } from "./column.ts";
import { ALL_ONCE, URGENT } from "./dialer.ts";
import { PipePool } from "./pipe-pool.ts";

/** One read of a copied direction. What is larger goes by splice. */
const COPY_SIZE = 64 * 1024;
/** Bytes of one direction before its neighbours get their turn. */
const MAX_STEP = 4 * 1024 * 1024;
/** Bytes that receivers have not taken, all directions together; beyond it reads are small. */
const MAX_HELD = 64 * 1024 * 1024;
const FRUGAL_SIZE = 4096;

const READ = block(COPY_SIZE);
/** With these a read that gives less than was asked for may not have been the last. */
const TO_THE_END = BROKEN | URGENT;

// What is known of a descriptor's direction, from it to its peer.
export const USED = 1;
/** The pair is known by its client's descriptor. */
export const CLIENT = 2;
/** It sent its FIN, and the peer has been told. */
export const ENDED = 4;
/** So much comes at once that splice is worth it. */
export const BULK = 16;
export const NO_COPY = 32;
export const NO_SPLICE = 64;
/** The server's was the first FIN. */
export const SERVER_FIRST = 128;

/** What is to be told of a direction. */
export interface DirectionEnds {
  /** `n` bytes came at once, and were copied. */
  moved(fd: number, n: number): void;
  /** It sent its FIN, and everything before it has gone to the peer. */
  ended(fd: number): void;
  /** A RST came from it, or nobody answers there any more. */
  reset(fd: number): void;
}

/**
 * Directions of pairs of sockets, each known by the descriptor that its bytes come from: how they get
 * to the peer, by copy or by splice, and what waits while that has no room. Rows in columns.
 */
export class Directions {
  /** USED, and what else is known of it. */
  flags = new Uint8Array(FIRST_ROWS);
  /** Where its bytes go. */
  peer = new Int32Array(FIRST_ROWS);
  /** Bytes read so far. */
  bytes = new Float64Array(FIRST_ROWS);
  /** How many go by splice now. */
  spliced = 0;
  readonly #reactor: Reactor;
  readonly #ends: DirectionEnds;
  readonly #pipes = new PipePool();
  /** What the peer has not taken yet: bytes from `#from` on, or `#piped` of them in a pipe. */
  readonly #held: (Uint8Array | undefined)[] = [];
  #from = new Int32Array(FIRST_ROWS);
  readonly #pipe: (Pipe | undefined)[] = [];
  #piped = new Int32Array(FIRST_ROWS);
  #heldBytes = 0;

  constructor(reactor: Reactor, ends: DirectionEnds) {
    this.#reactor = reactor;
    this.#ends = ends;
  }

  /** A new direction, from `fd` to `peer`. */
  seat(fd: number, peer: number, flags: number): void {
    this.flags[fd] = flags;
    this.peer[fd] = peer;
    this.bytes[fd] = 0;
    this.#held[fd] = undefined;
    this.#pipe[fd] = undefined;
    this.#piped[fd] = 0;
  }

  /** Move what is there, until there is no more or no room. */
  pump(fd: number, events: number): void {
    const peer = this.peer[fd] as number;
    // Its FIN is there already: what is read now leaves in one segment with ours.
    const last = (events & HALF_CLOSED) !== 0;
    const size = this.#heldBytes > MAX_HELD ? FRUGAL_SIZE : COPY_SIZE;
    let moved = 0;
    while (moved < MAX_STEP) {
      const bulk = ((this.flags[fd] as number) & BULK) !== 0;
      const n = bulk ? this.#splice(fd, peer) : this.#copy(fd, peer, size, last);
      if ((this.flags[fd] as number) === 0) return; // it ended in there
      if (n === 0) return this.#end(fd);
      if (n === socket.GONE) return this.#ends.reset(fd);
      if (n === socket.AGAIN || this.blocked(fd)) return this.#rest(fd, moved);
      moved += n;
      if (bulk) continue;
      if (n === COPY_SIZE) this.#hurry(fd);
      this.#ends.moved(fd, n);
      if (n === size || (events & TO_THE_END) !== 0) continue;
      // Less than was asked for: that was all. Of more epoll tells; of the FIN it told already.
      return last ? this.#end(fd) : undefined;
    }
    this.#reactor.modify(fd, ALL_ONCE); // tells again what is still there
  }

  /** Something of it waits for the peer to have room. */
  blocked(fd: number): boolean {
    return this.#held[fd] !== undefined || (this.#piped[fd] as number) > 0;
  }

  /** A direction that fills a whole buffer at once goes by splice from now on. */
  #hurry(fd: number): void {
    if (((this.flags[fd] as number) & NO_SPLICE) === 0) this.flags[fd]! |= BULK; // a row of it
  }

  /** Nothing more to do now: the pipe goes back, and a direction that moved little is no bulk any more. */
  #rest(fd: number, moved: number): void {
    const pipe = this.#pipe[fd];
    if (pipe === undefined || (this.#piped[fd] as number) > 0) return;
    this.#unpipe(fd, pipe);
    if (moved < COPY_SIZE / 4 && ((this.flags[fd] as number) & NO_COPY) === 0)
      this.flags[fd]! &= ~BULK; // a row of it
  }

  #unpipe(fd: number, pipe: Pipe): void {
    this.#pipe[fd] = undefined;
    this.spliced--;
    if ((this.#piped[fd] as number) > 0) this.#pipes.drop(pipe);
    else this.#pipes.giveBack(pipe);
  }

  /** Answers as `receive`; 0 at the end of the stream. */
  #copy(fd: number, peer: number, size: number, last: boolean): number {
    const n = socket.receive(fd, READ.at, size);
    if (n <= 0) return n;
    this.bytes[fd]! += n; // a row of it
    const sent = socket.send(peer, READ.at, n, last && n < size);
    if (sent === n) return n;
    if (sent === socket.GONE) {
      this.#ends.reset(peer);
      return n;
    }
    const left = sent > 0 ? sent : 0;
    this.#held[fd] = READ.bytes.slice(left, n);
    this.#from[fd] = 0;
    this.#heldBytes += n - left;
    return n;
  }

  /** As `#copy`, through a pipe. */
  #splice(fd: number, peer: number): number {
    const pipe = this.#pipe[fd] ?? this.#lend(fd);
    if (pipe === undefined) return this.#copy(fd, peer, COPY_SIZE, false);
    const n = splice(fd, pipe.writer, pipe.size);
    if (n <= 0) return n;
    this.bytes[fd]! += n; // a row of it
    this.#piped[fd] = n;
    this.#empty(fd, peer, pipe);
    return n;
  }

  #lend(fd: number): Pipe | undefined {
    const pipe = this.#pipes.take();
    if (pipe === undefined) return undefined;
    this.spliced++;
    this.#pipe[fd] = pipe;
    return pipe;
  }

  #empty(fd: number, peer: number, pipe: Pipe): void {
    while ((this.#piped[fd] as number) > 0) {
      const n = splice(pipe.reader, peer, this.#piped[fd] as number);
      if (n === socket.AGAIN) return;
      if (n <= 0) return this.#ends.reset(peer);
      this.#piped[fd]! -= n; // a row of it
    }
  }

  /** The peer has room again. */
  flush(fd: number): void {
    const peer = this.peer[fd] as number;
    const held = this.#held[fd];
    const pipe = this.#pipe[fd];
    if (held !== undefined) {
      const from = this.#from[fd] as number;
      const sent = socket.send(peer, address(held) + from, held.length - from, false);
      if (sent === socket.GONE) return this.#ends.reset(peer);
      if (sent === socket.AGAIN) return;
      this.#from[fd] = from + sent;
      this.#heldBytes -= sent;
      if (from + sent < held.length) return;
      this.#held[fd] = undefined;
    } else if (pipe !== undefined) this.#empty(fd, peer, pipe);
    // What came meanwhile was told while nobody listened: read until there is no more.
    if ((this.flags[fd] as number) !== 0 && !this.blocked(fd)) this.pump(fd, BROKEN);
  }

  /** The end of the stream has been read. */
  #end(fd: number): void {
    const pipe = this.#pipe[fd];
    if (pipe !== undefined) this.#unpipe(fd, pipe);
    this.flags[fd]! |= ENDED; // a row of it
    this.#ends.ended(fd);
  }

  /** Its row is nobody's any more, and what it held is lost; the sockets stay open. */
  leave(fd: number): void {
    const pipe = this.#pipe[fd];
    if (pipe !== undefined) this.#unpipe(fd, pipe);
    const held = this.#held[fd];
    if (held !== undefined) this.#heldBytes -= held.length - (this.#from[fd] as number);
    this.#held[fd] = undefined;
    this.#piped[fd] = 0;
    this.flags[fd] = 0;
  }

  /** There is nobody left: what is kept for the next one is given back. */
  close(): void {
    this.#pipes.close();
  }

  /** Have this many rows. */
  grow(rows: number): void {
    this.flags = grown(this.flags, rows);
    this.peer = grown(this.peer, rows);
    this.bytes = grown(this.bytes, rows);
    this.#from = grown(this.#from, rows);
    this.#piped = grown(this.#piped, rows);
  }
}
