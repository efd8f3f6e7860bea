import { type Destination, dialled, dialTo } from "../../sys/dial.ts";
import { errnoName } from "../../sys/errno.ts";
import { close } from "../../sys/socket.ts";
import type { ConnectFailure } from "../pools/pool.ts";
import { BROKEN, EDGE, HALF_CLOSED, type Reactor, READABLE, WRITABLE } from "../reactor.ts";
import { FIRST_ROWS, grown, rowsFor } from "./column.ts";
import { connectFailure } from "./connect-failure.ts";

/** EPOLLPRI: reading stops at the mark of urgent data, which itself is not passed on. */
export const URGENT = 0x2;
/** Everything there is to hear of a relayed socket, each thing once: nothing is asked for again later. */
export const ALL_ONCE = READABLE | WRITABLE | HALF_CLOSED | URGENT | EDGE;

/** How often deadlines are looked at: they may be missed by as much. */
const SWEEP_MS = 50;

/** Who wants a connection. Exactly one of both is called, once. */
export interface Caller {
  /**
   * It stands after `tookMs`. The reactor still watches `fd` for ALL_ONCE: `handOver` or `remove` it
   * at once. `events`: what it told already, and will not tell again; the server may have spoken.
   */
  connected(fd: number, tookMs: number, events: number): void;
  /** "exhausted": the machine is out of files or ports, which says nothing of the server. */
  unreachable(why: ConnectFailure | "exhausted"): void;
}

/** Outgoing TCP connections that are under way: no timer and no closure for each. */
export class Dialer {
  readonly #reactor: Reactor;
  readonly #callers: (Caller | undefined)[] = [];
  #began = new Float64Array(FIRST_ROWS);
  #deadline = new Float64Array(FIRST_ROWS);
  #pending = 0;
  #sweepAt = 0;
  #forgetTurn: (() => void) | undefined;

  constructor(reactor: Reactor) {
    this.#reactor = reactor;
  }

  /** Connections under way. */
  get pending(): number {
    return this.#pending;
  }

  /**
   * Connect within `timeout` ms. Answers the descriptor; what is known at once (a failure of the
   * network or of ours) is answered as a word instead, and `caller` not called. `eager`: as dialTo.
   */
  dial(
    to: Destination,
    timeout: number,
    caller: Caller,
    eager: boolean,
  ): number | ConnectFailure | "exhausted" {
    const fd = dialTo(to, eager);
    if (fd < 0) return connectFailure(errnoName(-fd));
    if (fd >= this.#began.length) this.#grow(fd);
    const now = performance.now();
    this.#began[fd] = now;
    this.#deadline[fd] = now + timeout;
    this.#callers[fd] = caller;
    this.#pending++;
    this.#reactor.add(fd, ALL_ONCE, this.#ready);
    this.#forgetTurn ??= this.#reactor.onTurn(this.#turn);
    return fd;
  }

  /** Nobody wants it any more: it is closed, nobody called. */
  cancel(fd: number): void {
    if (this.#callers[fd] === undefined) return;
    this.#done(fd);
    this.#reactor.forget(fd);
    close(fd);
  }

  readonly #ready = (events: number, fd: number): void => {
    if ((events & (WRITABLE | BROKEN)) === 0) return;
    const why = (events & BROKEN) === 0 ? undefined : dialled(fd);
    if (why !== undefined) return this.#fail(fd, connectFailure(why));
    const took = performance.now() - (this.#began[fd] as number); // set when it was dialled
    this.#done(fd)?.connected(fd, took, events);
  };

  readonly #turn = (now: number): void => {
    if (this.#pending === 0) {
      this.#forgetTurn?.();
      this.#forgetTurn = undefined;
      return;
    }
    if (now < this.#sweepAt) return;
    this.#sweepAt = now + SWEEP_MS;
    for (let fd = 0; fd < this.#callers.length; fd++)
      if (this.#callers[fd] !== undefined && (this.#deadline[fd] as number) <= now)
        this.#fail(fd, "timeout");
  };

  #fail(fd: number, why: ConnectFailure | "exhausted"): void {
    const caller = this.#done(fd);
    this.#reactor.forget(fd);
    close(fd);
    caller?.unreachable(why);
  }

  #done(fd: number): Caller | undefined {
    const caller = this.#callers[fd];
    this.#callers[fd] = undefined;
    this.#pending--;
    return caller;
  }

  #grow(fd: number): void {
    const rows = rowsFor(fd, this.#began.length);
    this.#began = grown(this.#began, rows);
    this.#deadline = grown(this.#deadline, rows);
  }
}
