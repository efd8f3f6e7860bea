import { address, block } from "../../sys/memory.ts";
import type { Pipe } from "../../sys/pipe.ts";
import * as socket from "../../sys/socket.ts";
import { splice } from "../../sys/splice.ts";
import { BROKEN, HALF_CLOSED, type Reactor, READABLE, WRITABLE } from "../reactor.ts";
import { FIRST_ROWS, grown, rowsFor } from "./column.ts";
import { ALL_ONCE, URGENT } from "./dialer.ts";
import { KernelRelays } from "./kernel-relays.ts";
import { PipePool } from "./pipe-pool.ts";
import { mayBeUsed, sockmap } from "./sockmap.ts";

/** Why a relayed connection ended: who was the first to. */
export type RelayEnd =
  /** Sent its FIN first; both directions then came to their end. */
  | "client"
  | "server"
  /** Broke it off (RST); the other side got one, too. */
  | "client reset"
  | "server reset"
  /** Nothing went for too long. */
  | "idle"
  /** It was as old as it may get. */
  | "total"
  /** By an operator, or at the end of a drain. */
  | "killed"
  | "stopped";

/** Whose connection it is. */
export interface RelayOwner {
  /** So many more bytes went, from the client and from the server: told twice a second, and before the end. */
  moved(up: number, down: number): void;
  /** It is over, both sockets are closed. */
  over(why: RelayEnd): void;
}

/** How the bytes of a pair go. */
export const RELAY_WAYS = ["auto", "splice", "copy", "sockmap"] as const;
export type RelayWay = (typeof RELAY_WAYS)[number];

export interface RelayRules {
  /** sockmap: from the beginning; where there is none, it is copy and splice. */
  readonly way: RelayWay;
  /** Milliseconds without a byte; Infinity for any. */
  readonly idle: number;
  /** When it ends whatever happens, in the reactor's time; Infinity for never. */
  readonly deadline: number;
}

/** One read of a copied direction. What is larger goes by splice. */
const COPY_SIZE = 64 * 1024;
/** Bytes of one direction before its neighbours get their turn. */
const MAX_STEP = 4 * 1024 * 1024;
/** Bytes that receivers have not taken, all directions together; beyond it reads are small. */
const MAX_HELD = 64 * 1024 * 1024;
const FRUGAL_SIZE = 4096;
/** So many messages of at most so many bytes in a row, both ways counted, and the kernel takes over. */
const CHATTY = 128;
const SMALL = 16 * 1024;
const NEVER = -(2 ** 31);
/** How often time-outs are looked at and bytes reported. */
const SWEEP_MS = 500;

const READ = block(COPY_SIZE);
/** EPOLLERR: a RST, or nobody answers any more. */
const ERROR = 0x8;
/** With these a read that gives less than was asked for may not have been the last. */
const TO_THE_END = BROKEN | URGENT;

// What is known of a descriptor's direction, from it to its peer.
const USED = 1;
/** The pair is known by its client's descriptor. */
const CLIENT = 2;
/** It sent its FIN, and the peer has been told. */
const ENDED = 4;
/** So much comes at once that splice is worth it. */
const BULK = 16;
const NO_COPY = 32;
const NO_SPLICE = 64;
/** The server's was the first FIN. */
const SERVER_FIRST = 128;

/**
 * Pairs of sockets whose bytes go both ways, all in one loop. Half-closing is passed on, so is a
 * RST; a slow receiver stops its sender. A pair is rows in columns, by descriptor: idle, it costs
 * some 150 bytes here.
 *
 * Three ways, each where it wins (2 cores with the load on one of them and other work on both, so
 * only to be compared; CPU is this process's. Of the kernel's own threads sockmap has another 10 to
 * 15 µs per small request: 16 to 20 in all, where copy had 25 to 27 in the same minutes):
 *
 *                           copy         splice        sockmap       HAProxy
 *     1 KB, one connection  60 µs        72 µs         41 µs         70 µs     median
 *     1 KB, 64 connections  19 k/s       8 k/s         22 k/s        18 k/s
 *                           17 µs        27 µs         6 µs          19 µs     CPU each
 *     10 MB                 0.75 s/GB    0.18 s/GB     0.66 s/GB     1.3 s/GB  CPU
 *
 * So: copy at first, which is all that short connections see; splice for a direction as long as it
 * fills whole buffers; sockmap, where the kernel and our rights allow it, for pairs that have
 * exchanged CHATTY small messages in a row.
 */
export class Relays {
  readonly #reactor: Reactor;
  readonly #pipes = new PipePool();
  #kernel: KernelRelays | undefined;
  #flags = new Uint8Array(FIRST_ROWS);
  #peer = new Int32Array(FIRST_ROWS);
  /** Bytes read so far, and those of them that were reported. */
  #bytes = new Float64Array(FIRST_ROWS);
  #told = new Float64Array(FIRST_ROWS);
  /** Of pairs, by the client's descriptor. */
  #active = new Float64Array(FIRST_ROWS);
  #idle = new Float64Array(FIRST_ROWS);
  #deadline = new Float64Array(FIRST_ROWS);
  readonly #owners: (RelayOwner | undefined)[] = [];
  /** What the peer has not taken yet: bytes from `#from` on, or `#piped` of them in a pipe. */
  readonly #held: (Uint8Array | undefined)[] = [];
  #from = new Int32Array(FIRST_ROWS);
  readonly #pipe: (Pipe | undefined)[] = [];
  #piped = new Int32Array(FIRST_ROWS);
  /** Small messages of a pair in a row; NEVER when it is not for the kernel. */
  #turns = new Int32Array(FIRST_ROWS);
  readonly #mayPromote = mayBeUsed();
  #heldBytes = 0;
  #highest = 0;
  #open = 0;
  #spliced = 0;
  readonly #closing: number[] = [];
  #sweepAt = 0;
  #forgetTurn: (() => void) | undefined;

  constructor(reactor: Reactor) {
    this.#reactor = reactor;
  }

  /** Pairs that are open. */
  get open(): number {
    return this.#open;
  }
  /** Directions that go by splice now. */
  get spliced(): number {
    return this.#spliced;
  }

  /**
   * Relay between two connected sockets, which are ours from now on. `server` is watched by the
   * reactor as a Dialer leaves it, and `events` is what that was told of it; `client` is watched by
   * nobody.
   */
  join(client: number, server: number, owner: RelayOwner, rules: RelayRules, events: number): void {
    const most = Math.max(client, server);
    if (most >= this.#flags.length) this.#grow(most);
    if (most > this.#highest) this.#highest = most;
    const way = rules.way === "copy" ? NO_SPLICE : rules.way === "splice" ? NO_COPY | BULK : 0;
    this.#seat(client, server, USED | CLIENT | way);
    this.#seat(server, client, USED | way);
    this.#owners[client] = owner;
    this.#active[client] = this.#reactor.now;
    this.#idle[client] = rules.idle;
    this.#deadline[client] = rules.deadline;
    this.#open++;
    this.#forgetTurn ??= this.#reactor.onTurn(this.#turn);
    this.#reactor.handOver(server, this.#ready);
    const chatty = rules.way === "sockmap" && typeof sockmap() !== "string";
    if (chatty || (rules.way === "auto" && this.#mayPromote)) this.#turns[client] = 0;
    else this.#turns[client] = NEVER;
    // Most clients have spoken by now. What comes later is told by epoll.
    this.#pump(client, 0);
    if (this.#owners[client] !== owner) return; // over already
    this.#reactor.add(client, ALL_ONCE, this.#ready);
    if (chatty) this.#turns[client] = CHATTY;
    this.#ready(events, server);
  }

  /** End a pair now: `abort` sends a RST to both. */
  end(client: number, why: RelayEnd, abort: boolean): void {
    if (((this.#flags[client] ?? 0) & CLIENT) !== 0) this.#finish(client, why, abort);
    else this.#kernel?.end(client, why, abort);
  }

  /** Leave a pair to the kernel from now on, when nothing of it is under way here. */
  #promote(client: number): void {
    this.#turns[client] = 0;
    const server = this.#peer[client] as number;
    const owner = this.#owners[client];
    const map = sockmap();
    if (owner === undefined || typeof map === "string") return;
    // Every segment is to be read whole, by one of us.
    for (const fd of [client, server]) {
      if (this.#owners[client] === owner && !this.#blocked(fd) && !this.#has(fd, ENDED))
        this.#pump(fd, BROKEN);
    }
    if (this.#owners[client] !== owner) return;
    const busy = [client, server].some((fd) => this.#blocked(fd) || this.#has(fd, ENDED));
    if (busy) return;
    this.#tell(client);
    const flags = [this.#flags[client] as number, this.#flags[server] as number] as const;
    this.#leave(client, server);
    const rules = {
      idle: this.#idle[client] as number,
      deadline: this.#deadline[client] as number,
    };
    this.#kernel ??= new KernelRelays(this.#reactor, map);
    if (this.#kernel.join(client, server, owner, rules)) return;
    [this.#flags[client], this.#flags[server]] = flags; // the kernel does not want it
    this.#turns[client] = NEVER;
    this.#owners[client] = owner;
    this.#open++;
    for (const fd of [client, server]) this.#reactor.handOver(fd, this.#ready);
  }

  #has(fd: number, flag: number): boolean {
    return ((this.#flags[fd] as number) & flag) !== 0;
  }

  /** Its rows are nobody's any more; the sockets stay open. */
  #leave(client: number, server: number): void {
    this.#flags[client] = 0;
    this.#flags[server] = 0;
    this.#owners[client] = undefined;
    this.#open--;
  }

  /** How the bytes of a pair go now; undefined when there is none. */
  carrier(client: number): "splice" | "copy" | "sockmap" | undefined {
    if (this.#kernel?.has(client)) return "sockmap";
    const flags = this.#flags[client] ?? 0;
    if ((flags & CLIENT) === 0) return undefined;
    const other = this.#flags[this.#peer[client] as number] as number;
    return ((flags | other) & BULK) === 0 ? "copy" : "splice";
  }

  #seat(fd: number, peer: number, flags: number): void {
    this.#flags[fd] = flags;
    this.#peer[fd] = peer;
    this.#bytes[fd] = 0;
    this.#told[fd] = 0;
    this.#held[fd] = undefined;
    this.#pipe[fd] = undefined;
    this.#piped[fd] = 0;
  }

  // Edge-triggered: what is not read or written until AGAIN will not be told again.
  readonly #ready = (events: number, fd: number): void => {
    const flags = this.#flags[fd] as number;
    if ((flags & USED) === 0) return;
    const peer = this.#peer[fd] as number;
    const client = (flags & CLIENT) !== 0 ? fd : peer;
    this.#active[client] = this.#reactor.now;
    if ((events & (READABLE | HALF_CLOSED | BROKEN)) !== 0) {
      if (!this.#blocked(fd) && (flags & ENDED) === 0) this.#pump(fd, events);
      else if ((events & ERROR) !== 0) return this.#reset(fd);
    }
    if ((events & WRITABLE) !== 0 && (this.#flags[peer] as number) !== 0 && this.#blocked(peer))
      this.#flush(peer);
    if ((this.#turns[client] as number) >= CHATTY) this.#promote(client);
  };

  /** Something of it waits for the peer to have room. */
  #blocked(fd: number): boolean {
    return this.#held[fd] !== undefined || (this.#piped[fd] as number) > 0;
  }

  /** Move what is there, until there is no more or no room. */
  #pump(fd: number, events: number): void {
    const peer = this.#peer[fd] as number;
    // Its FIN is there already: what is read now leaves in one segment with ours.
    const last = (events & HALF_CLOSED) !== 0;
    const size = this.#heldBytes > MAX_HELD ? FRUGAL_SIZE : COPY_SIZE;
    let moved = 0;
    while (moved < MAX_STEP) {
      const bulk = ((this.#flags[fd] as number) & BULK) !== 0;
      const n = bulk ? this.#splice(fd, peer) : this.#copy(fd, peer, size, last);
      if ((this.#flags[fd] as number) === 0) return; // it ended in there
      if (n === 0) return this.#ended(fd, peer);
      if (n === socket.GONE) return this.#reset(fd);
      if (n === socket.AGAIN || this.#blocked(fd)) return this.#rest(fd, moved);
      moved += n;
      if (bulk) continue;
      if (n === COPY_SIZE) this.#hurry(fd);
      this.#count(fd, n);
      if (n === size || (events & TO_THE_END) !== 0) continue;
      // Less than was asked for: that was all. Of more epoll tells; of the FIN it told already.
      return last ? this.#ended(fd, peer) : undefined;
    }
    this.#reactor.modify(fd, ALL_ONCE); // tells again what is still there
  }

  /** Many small messages in a row make a pair chatty. */
  #count(fd: number, n: number): void {
    const client = this.#clientOf(fd);
    if (n <= SMALL)
      this.#turns[client]!++; // rows of it
    else if ((this.#turns[client] as number) > 0) this.#turns[client] = 0;
  }

  /** A direction that fills a whole buffer at once goes by splice from now on. */
  #hurry(fd: number): void {
    if (((this.#flags[fd] as number) & NO_SPLICE) === 0) this.#flags[fd]! |= BULK; // a row of it
  }

  /** Nothing more to do now: the pipe goes back, and a direction that moved little is no bulk any more. */
  #rest(fd: number, moved: number): void {
    const pipe = this.#pipe[fd];
    if (pipe === undefined || (this.#piped[fd] as number) > 0) return;
    this.#unpipe(fd, pipe);
    if (moved < COPY_SIZE / 4 && ((this.#flags[fd] as number) & NO_COPY) === 0)
      this.#flags[fd]! &= ~BULK; // a row of it
  }

  #unpipe(fd: number, pipe: Pipe): void {
    this.#pipe[fd] = undefined;
    this.#spliced--;
    if ((this.#piped[fd] as number) > 0) this.#pipes.drop(pipe);
    else this.#pipes.giveBack(pipe);
  }

  /** Answers as `receive`; 0 at the end of the stream. */
  #copy(fd: number, peer: number, size: number, last: boolean): number {
    const n = socket.receive(fd, READ.at, size);
    if (n <= 0) return n;
    this.#bytes[fd]! += n; // a row of it
    const sent = socket.send(peer, READ.at, n, last && n < size);
    if (sent === n) return n;
    if (sent === socket.GONE) {
      this.#reset(peer);
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
    this.#bytes[fd]! += n; // a row of it
    this.#piped[fd] = n;
    this.#empty(fd, peer, pipe);
    return n;
  }

  #lend(fd: number): Pipe | undefined {
    const pipe = this.#pipes.take();
    if (pipe === undefined) return undefined;
    this.#spliced++;
    this.#pipe[fd] = pipe;
    return pipe;
  }

  #empty(fd: number, peer: number, pipe: Pipe): void {
    while ((this.#piped[fd] as number) > 0) {
      const n = splice(pipe.reader, peer, this.#piped[fd] as number);
      if (n === socket.AGAIN) return;
      if (n <= 0) return this.#reset(peer);
      this.#piped[fd]! -= n; // a row of it
    }
  }

  /** The peer has room again. */
  #flush(fd: number): void {
    const peer = this.#peer[fd] as number;
    const held = this.#held[fd];
    const pipe = this.#pipe[fd];
    if (held !== undefined) {
      const from = this.#from[fd] as number;
      const sent = socket.send(peer, address(held) + from, held.length - from, false);
      if (sent === socket.GONE) return this.#reset(peer);
      if (sent === socket.AGAIN) return;
      this.#from[fd] = from + sent;
      this.#heldBytes -= sent;
      if (from + sent < held.length) return;
      this.#held[fd] = undefined;
    } else if (pipe !== undefined) this.#empty(fd, peer, pipe);
    // What came meanwhile was told while nobody listened: read until there is no more.
    if ((this.#flags[fd] as number) !== 0 && !this.#blocked(fd)) this.#pump(fd, BROKEN);
  }

  /** `fd` sent its FIN, and everything before it has gone to the peer. */
  #ended(fd: number, peer: number): void {
    const client = this.#clientOf(fd);
    const pipe = this.#pipe[fd];
    if (pipe !== undefined) this.#unpipe(fd, pipe);
    this.#flags[fd]! |= ENDED; // a row of it
    if (((this.#flags[peer] as number) & ENDED) !== 0)
      return this.#finish(
        client,
        ((this.#flags[client] as number) & SERVER_FIRST) !== 0 ? "server" : "client",
        false,
      );
    if (client !== fd) this.#flags[client]! |= SERVER_FIRST; // a row of it
    socket.finish(peer);
  }

  #reset(fd: number): void {
    const client = this.#clientOf(fd);
    this.#finish(client, client === fd ? "client reset" : "server reset", true);
  }

  #clientOf(fd: number): number {
    return ((this.#flags[fd] as number) & CLIENT) !== 0 ? fd : (this.#peer[fd] as number);
  }

  #finish(client: number, why: RelayEnd, abort: boolean): void {
    const owner = this.#owners[client];
    this.#tell(client);
    this.#release(this.#peer[client] as number, abort);
    this.#release(client, abort);
    this.#owners[client] = undefined;
    this.#open--;
    owner?.over(why);
  }

  /**
   * Closed at the end of the turn only: events of this turn may still be about its number, and
   * must not be taken for those of a new socket that got it.
   */
  #release(fd: number, abort: boolean): void {
    const pipe = this.#pipe[fd];
    if (pipe !== undefined) this.#unpipe(fd, pipe);
    const held = this.#held[fd];
    if (held !== undefined) this.#heldBytes -= held.length - (this.#from[fd] as number);
    this.#held[fd] = undefined;
    this.#piped[fd] = 0;
    this.#flags[fd] = 0;
    this.#reactor.forget(fd);
    this.#closing.push(abort ? ~fd : fd);
  }

  #tell(client: number): void {
    const server = this.#peer[client] as number;
    const up = (this.#bytes[client] as number) - (this.#told[client] as number);
    const down = (this.#bytes[server] as number) - (this.#told[server] as number);
    if (up === 0 && down === 0) return;
    this.#told[client]! += up; // rows of them
    this.#told[server]! += down;
    this.#owners[client]?.moved(up, down);
  }

  readonly #turn = (now: number): void => {
    for (let i = 0; i < this.#closing.length; i++) {
      const fd = this.#closing[i] as number;
      if (fd < 0) socket.abort(~fd);
      else socket.close(fd);
    }
    this.#closing.length = 0;
    if (this.#open === 0) {
      this.#forgetTurn?.();
      this.#forgetTurn = undefined;
      return this.#pipes.close();
    }
    if (now >= this.#sweepAt) this.#sweep(now);
  };

  #sweep(now: number): void {
    this.#sweepAt = now + SWEEP_MS;
    for (let fd = 0; fd <= this.#highest; fd++) {
      if (((this.#flags[fd] as number) & CLIENT) === 0) continue;
      this.#tell(fd);
      if (now - (this.#active[fd] as number) >= (this.#idle[fd] as number))
        this.#finish(fd, "idle", false);
      else if (now >= (this.#deadline[fd] as number)) this.#finish(fd, "total", false);
    }
  }

  #grow(fd: number): void {
    const rows = rowsFor(fd, this.#flags.length);
    this.#flags = grown(this.#flags, rows);
    this.#peer = grown(this.#peer, rows);
    this.#bytes = grown(this.#bytes, rows);
    this.#told = grown(this.#told, rows);
    this.#active = grown(this.#active, rows);
    this.#idle = grown(this.#idle, rows);
    this.#deadline = grown(this.#deadline, rows);
    this.#from = grown(this.#from, rows);
    this.#piped = grown(this.#piped, rows);
    this.#turns = grown(this.#turns, rows);
  }
}
