import * as socket from "../../sys/socket.ts";
import { BROKEN, HALF_CLOSED, type Reactor, READABLE, WRITABLE } from "../reactor.ts";
import { FIRST_ROWS, grown, rowsFor } from "./column.ts";
import { ALL_ONCE } from "./dialer.ts";
import {
  BULK,
  CLIENT,
  Directions,
  ENDED,
  NO_COPY,
  NO_SPLICE,
  SERVER_FIRST,
  USED,
} from "./directions.ts";
import { KernelRelays } from "./kernel-relays.ts";
import type { RelayEnd, RelayOwner, RelayRules } from "./relay-terms.ts";
import { mayBeUsed, sockmap } from "./sockmap.ts";

/** So many messages of at most so many bytes in a row, both ways counted, and the kernel takes over. */
const CHATTY = 128;
const SMALL = 16 * 1024;
const NEVER = -(2 ** 31);
/** How often time-outs are looked at and bytes reported. */
const SWEEP_MS = 500;
/** EPOLLERR: a RST, or nobody answers any more. */
const ERROR = 0x8;

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
  readonly #directions: Directions;
  #kernel: KernelRelays | undefined;
  /** Bytes that were reported, by direction. */
  #told = new Float64Array(FIRST_ROWS);
  /** Of pairs, by the client's descriptor. */
  #active = new Float64Array(FIRST_ROWS);
  #idle = new Float64Array(FIRST_ROWS);
  #deadline = new Float64Array(FIRST_ROWS);
  readonly #owners: (RelayOwner | undefined)[] = [];
  /** Small messages of a pair in a row; NEVER when it is not for the kernel. */
  #turns = new Int32Array(FIRST_ROWS);
  readonly #mayPromote = mayBeUsed();
  #highest = 0;
  #open = 0;
  readonly #closing: number[] = [];
  #sweepAt = 0;
  #forgetTurn: (() => void) | undefined;

  constructor(reactor: Reactor) {
    this.#reactor = reactor;
    this.#directions = new Directions(reactor, {
      moved: (fd, n) => this.#count(fd, n),
      ended: (fd) => this.#ended(fd),
      reset: (fd) => this.#reset(fd),
    });
  }

  /** Pairs that are open. */
  get open(): number {
    return this.#open;
  }
  /** Directions that go by splice now. */
  get spliced(): number {
    return this.#directions.spliced;
  }

  /**
   * Relay between two connected sockets, which are ours from now on. `server` is watched by the
   * reactor as a Dialer leaves it, and `events` is what that was told of it; `client` is watched by
   * nobody.
   */
  join(client: number, server: number, owner: RelayOwner, rules: RelayRules, events: number): void {
    const most = Math.max(client, server);
    if (most >= this.#told.length) this.#grow(most);
    if (most > this.#highest) this.#highest = most;
    const way = rules.way === "copy" ? NO_SPLICE : rules.way === "splice" ? NO_COPY | BULK : 0;
    this.#directions.seat(client, server, USED | CLIENT | way);
    this.#directions.seat(server, client, USED | way);
    this.#told[client] = 0;
    this.#told[server] = 0;
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
    this.#directions.pump(client, 0);
    if (this.#owners[client] !== owner) return; // over already
    this.#reactor.add(client, ALL_ONCE, this.#ready);
    if (chatty) this.#turns[client] = CHATTY;
    this.#ready(events, server);
  }

  /** End a pair now: `abort` sends a RST to both. */
  end(client: number, why: RelayEnd, abort: boolean): void {
    if (((this.#directions.flags[client] ?? 0) & CLIENT) !== 0) this.#finish(client, why, abort);
    else this.#kernel?.end(client, why, abort);
  }

  /** Leave a pair to the kernel from now on, when nothing of it is under way here. */
  #promote(client: number): void {
    this.#turns[client] = 0;
    const server = this.#directions.peer[client] as number;
    const owner = this.#owners[client];
    const map = sockmap();
    if (owner === undefined || typeof map === "string") return;
    // Every segment is to be read whole, by one of us.
    for (const fd of [client, server]) {
      if (this.#owners[client] === owner && !this.#directions.blocked(fd) && !this.#has(fd, ENDED))
        this.#directions.pump(fd, BROKEN);
    }
    if (this.#owners[client] !== owner) return;
    const busy = [client, server].some(
      (fd) => this.#directions.blocked(fd) || this.#has(fd, ENDED),
    );
    if (busy) return;
    this.#tell(client);
    const { flags } = this.#directions;
    const before = [flags[client] as number, flags[server] as number] as const;
    this.#leave(client, server);
    const rules = {
      idle: this.#idle[client] as number,
      deadline: this.#deadline[client] as number,
    };
    this.#kernel ??= new KernelRelays(this.#reactor, map);
    if (this.#kernel.join(client, server, owner, rules)) return;
    [flags[client], flags[server]] = before; // the kernel does not want it
    this.#turns[client] = NEVER;
    this.#owners[client] = owner;
    this.#open++;
    for (const fd of [client, server]) this.#reactor.handOver(fd, this.#ready);
  }

  #has(fd: number, flag: number): boolean {
    return ((this.#directions.flags[fd] as number) & flag) !== 0;
  }

  /** Its rows are nobody's any more; the sockets stay open. */
  #leave(client: number, server: number): void {
    this.#directions.leave(client);
    this.#directions.leave(server);
    this.#owners[client] = undefined;
    this.#open--;
  }

  /** How the bytes of a pair go now; undefined when there is none. */
  carrier(client: number): "splice" | "copy" | "sockmap" | undefined {
    if (this.#kernel?.has(client)) return "sockmap";
    const flags = this.#directions.flags[client] ?? 0;
    if ((flags & CLIENT) === 0) return undefined;
    const other = this.#directions.flags[this.#directions.peer[client] as number] as number;
    return ((flags | other) & BULK) === 0 ? "copy" : "splice";
  }

  // Edge-triggered: what is not read or written until AGAIN will not be told again.
  readonly #ready = (events: number, fd: number): void => {
    const flags = this.#directions.flags[fd] as number;
    if ((flags & USED) === 0) return;
    const peer = this.#directions.peer[fd] as number;
    const client = (flags & CLIENT) !== 0 ? fd : peer;
    this.#active[client] = this.#reactor.now;
    if ((events & (READABLE | HALF_CLOSED | BROKEN)) !== 0) {
      if (!this.#directions.blocked(fd) && (flags & ENDED) === 0) this.#directions.pump(fd, events);
      else if ((events & ERROR) !== 0) return this.#reset(fd);
    }
    if (
      (events & WRITABLE) !== 0 &&
      (this.#directions.flags[peer] as number) !== 0 &&
      this.#directions.blocked(peer)
    )
      this.#directions.flush(peer);
    if ((this.#turns[client] as number) >= CHATTY) this.#promote(client);
  };

  /** Many small messages in a row make a pair chatty. */
  #count(fd: number, n: number): void {
    const client = this.#clientOf(fd);
    if (n <= SMALL)
      this.#turns[client]!++; // rows of it
    else if ((this.#turns[client] as number) > 0) this.#turns[client] = 0;
  }

  /** `fd` sent its FIN, and everything before it has gone to the peer. */
  #ended(fd: number): void {
    const { flags } = this.#directions;
    const peer = this.#directions.peer[fd] as number;
    const client = this.#clientOf(fd);
    if (((flags[peer] as number) & ENDED) !== 0)
      return this.#finish(
        client,
        ((flags[client] as number) & SERVER_FIRST) !== 0 ? "server" : "client",
        false,
      );
    if (client !== fd) flags[client]! |= SERVER_FIRST; // a row of it
    socket.finish(peer);
  }

  #reset(fd: number): void {
    const client = this.#clientOf(fd);
    this.#finish(client, client === fd ? "client reset" : "server reset", true);
  }

  #clientOf(fd: number): number {
    return ((this.#directions.flags[fd] as number) & CLIENT) !== 0
      ? fd
      : (this.#directions.peer[fd] as number);
  }

  #finish(client: number, why: RelayEnd, abort: boolean): void {
    const owner = this.#owners[client];
    this.#tell(client);
    this.#release(this.#directions.peer[client] as number, abort);
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
    this.#directions.leave(fd);
    this.#reactor.forget(fd);
    this.#closing.push(abort ? ~fd : fd);
  }

  #tell(client: number): void {
    const server = this.#directions.peer[client] as number;
    const up = (this.#directions.bytes[client] as number) - (this.#told[client] as number);
    const down = (this.#directions.bytes[server] as number) - (this.#told[server] as number);
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
      return this.#directions.close();
    }
    if (now >= this.#sweepAt) this.#sweep(now);
  };

  #sweep(now: number): void {
    this.#sweepAt = now + SWEEP_MS;
    for (let fd = 0; fd <= this.#highest; fd++) {
      if (((this.#directions.flags[fd] as number) & CLIENT) === 0) continue;
      this.#tell(fd);
      if (now - (this.#active[fd] as number) >= (this.#idle[fd] as number))
        this.#finish(fd, "idle", false);
      else if (now >= (this.#deadline[fd] as number)) this.#finish(fd, "total", false);
    }
  }

  #grow(fd: number): void {
    const rows = rowsFor(fd, this.#told.length);
    this.#directions.grow(rows);
    this.#told = grown(this.#told, rows);
    this.#active = grown(this.#active, rows);
    this.#idle = grown(this.#idle, rows);
    this.#deadline = grown(this.#deadline, rows);
    this.#turns = grown(this.#turns, rows);
  }
}
