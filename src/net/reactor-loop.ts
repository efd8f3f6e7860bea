import { drainMicrotasks } from "bun:jsc";

import { Epoll } from "../sys/epoll.ts";
import { runtimeLoop } from "../sys/event-loops.ts";
import { type Reactor, READABLE, type Ready } from "./reactor.ts";

/** How many ready fds one turn takes: the rest is told by the next. */
const BATCH = 512;
/**
 * The runtime's timers do not show in its epoll fd, so a turn never waits longer than this for
 * them: short while the runtime has been at work, long in peace.
 */
const BUSY_WAIT_MS = 4;
const IDLE_WAIT_MS = 50;
/**
 * So long a turn may go on with our own fds while the runtime's is silent: a turn through the
 * runtime costs some 5 µs, as much as a quarter of a relayed request when one or two are ready.
 */
const OWN_MS = 4;
const BUSY_FOR_MS = 1000;
/**
 * Turns that do not wait after the runtime had, or may have had, work: what its callbacks put into
 * its own queues shows in no fd and would wait as long as we do.
 */
const EAGER_TURNS = 3;
/** Without the runtime's fd we look in on it this often. */
const BLIND_WAIT_MS = 1;

export type Trouble = (error: unknown) => void;

/**
 * Each turn waits in epoll_wait(2) for our fds and for the runtime's own epoll fd, which nests in
 * ours, goes on for as long as only ours have something, at most OWN_MS; then a `setImmediate` lets
 * the runtime do its work and comes back for the next turn. Promises are looked after in between;
 * whoever leaves other work to the runtime says so by `nudge`.
 */
export class ReactorLoop implements Reactor {
  now = performance.now();
  readonly #epoll = new Epoll(BATCH);
  readonly #handlers: (Ready | undefined)[] = [];
  readonly #runtime: number | undefined;
  readonly #trouble: Trouble;
  readonly #afterTurn: ((now: number) => void)[] = [];
  /** Who wants to know when this batch is told. */
  readonly #atEnd = new Set<() => void>();
  #telling = false;
  #count = 0;
  #running = false;
  #eager = 0;
  #busyUntil = 0;
  #longestTurn = 0;

  constructor(trouble: Trouble) {
    this.#trouble = trouble;
    this.#runtime = runtimeLoop(this.#epoll.fd);
    if (this.#runtime !== undefined) this.#epoll.add(this.#runtime, READABLE);
  }

  add(fd: number, events: number, ready: Ready): void {
    this.#epoll.add(fd, events);
    if (this.#handlers[fd] === undefined) this.#count++;
    this.#handlers[fd] = ready;
    this.#run();
  }

  modify(fd: number, events: number): void {
    this.#epoll.modify(fd, events);
  }

  handOver(fd: number, ready: Ready): void {
    if (this.#handlers[fd] !== undefined) this.#handlers[fd] = ready;
  }

  remove(fd: number): void {
    if (this.#handlers[fd] === undefined) return;
    this.#handlers[fd] = undefined;
    this.#count--;
    this.#epoll.remove(fd);
  }

  /** As `remove`, for an fd that is closed at once: closing takes it out of epoll. */
  forget(fd: number): void {
    if (this.#handlers[fd] === undefined) return;
    this.#handlers[fd] = undefined;
    this.#count--;
  }

  /** Promises or sockets of the runtime are at work: let it run before the next wait. */
  nudge(): void {
    this.#eager = EAGER_TURNS;
    this.#busyUntil = this.now + BUSY_FOR_MS;
  }

  /** Sockets of the runtime are not ours to count: whoever has some keeps the turns going by this. */
  onTurn(visit: (now: number) => void): () => void {
    this.#afterTurn.push(visit);
    this.#run();
    return () => {
      const at = this.#afterTurn.indexOf(visit);
      if (at >= 0) this.#afterTurn.splice(at, 1);
    };
  }

  atEnd(run: () => void): boolean {
    if (this.#telling) this.#atEnd.add(run);
    return this.#telling;
  }

  /** Longest turn since the last call, in ms: how long a ready fd may have waited. */
  takeLongestTurn(): number {
    const longest = this.#longestTurn;
    this.#longestTurn = 0;
    return longest;
  }

  #run(): void {
    if (this.#running) return;
    this.#running = true;
    this.#eager = EAGER_TURNS;
    setImmediate(this.#turn);
  }

  readonly #turn = (): void => {
    if (this.#count === 0 && this.#afterTurn.length === 0) {
      this.#running = false;
      return;
    }
    const calm = this.#eager === 0;
    if (!calm) this.#eager--;
    let ready = this.#wait(calm ? this.#patience() : 0);
    if (ready === 0 && calm) this.#eager = EAGER_TURNS; // a timer of the runtime may be due
    // While only our own fds are ready there is no need to go through the runtime for each batch.
    for (const until = this.now + OWN_MS; ready > 0; ready = this.#wait(until - this.now)) {
      this.#batch(ready);
      drainMicrotasks();
      if (this.#eager > 0 || this.now >= until || this.#runtime === undefined) break;
    }
    if (ready === 0) this.#visitAll();
    setImmediate(this.#turn);
  };

  #wait(ms: number): number {
    const ready = this.#epoll.wait(Math.max(0, Math.ceil(ms)));
    this.now = performance.now();
    return ready;
  }

  #batch(ready: number): void {
    this.#telling = true;
    for (let i = 0; i < ready; i++) {
      const fd = this.#epoll.fdAt(i);
      if (fd === this.#runtime) {
        this.nudge();
        continue;
      }
      try {
        this.#handlers[fd]?.(this.#epoll.eventsAt(i), fd);
      } catch (error) {
        this.#trouble(error);
      }
    }
    this.#telling = false;
    this.#endAll();
    this.#visitAll();
    const took = performance.now() - this.now;
    if (took > this.#longestTurn) this.#longestTurn = took;
  }

  #endAll(): void {
    if (this.#atEnd.size === 0) return;
    for (const run of this.#atEnd) {
      try {
        run();
      } catch (error) {
        this.#trouble(error);
      }
    }
    this.#atEnd.clear();
  }

  #visitAll(): void {
    for (let i = 0; i < this.#afterTurn.length; i++) this.#visit(i);
  }

  #visit(i: number): void {
    try {
      this.#afterTurn[i]?.(this.now);
    } catch (error) {
      this.#trouble(error);
    }
  }

  #patience(): number {
    if (this.#runtime === undefined) return BLIND_WAIT_MS;
    return this.now < this.#busyUntil ? BUSY_WAIT_MS : IDLE_WAIT_MS;
  }
}

let ours: ReactorLoop | undefined;
let trouble: Trouble = (error) => reportError(error);

/** The loop of this thread, made when first asked for. */
export function reactor(): ReactorLoop {
  return (ours ??= new ReactorLoop((error) => trouble(error)));
}

/** Where handlers' exceptions go: the log, once there is one. */
export function reportTrouble(to: Trouble): void {
  trouble = to;
}
