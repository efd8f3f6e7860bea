import { backoff } from "../core/backoff.ts";
import { accept, AGAIN, EXHAUSTED } from "../sys/socket.ts";
import { type Reactor, READABLE } from "./reactor.ts";
import type { ListenSocket } from "./sockets.ts";

/** Connections accepted before those already open get their turn. */
const MAX_ACCEPTS = 64;
/** Pauses after the process ran out of files: 10 ms, doubling to 1 s, as long as nobody came in between. */
const PAUSES = { first: 10, most: 1000, calm: 0 };
/** How often that is told while it lasts. */
const EXHAUSTED_TELL_MS = 10_000;

export interface AcceptorNeeds {
  /** May one more come in? If not, `open` is to be called when it may. */
  room(): boolean;
  /** There was room, and nobody to come in. */
  unused?(): void;
  /** A connection: non-blocking, close-on-exec, the taker's from here on. */
  take(fd: number): void;
  /** The process is out of files: connections wait, and are accepted when some are closed. */
  exhausted(): void;
}

/** Lets connections in, from every socket of a listener, as long as there is room. */
export class Acceptor {
  readonly #fds: readonly number[];
  readonly #reactor: Reactor;
  readonly #needs: AcceptorNeeds;
  #open = false;
  #pause: Timer | undefined;
  #pauses = 0;
  #tellAt = 0;

  constructor({ fds }: Pick<ListenSocket, "fds">, reactor: Reactor, needs: AcceptorNeeds) {
    this.#fds = fds;
    this.#reactor = reactor;
    this.#needs = needs;
  }

  /** Let them in, from now on or again. */
  open(): void {
    if (this.#open || this.#pause !== undefined) return;
    this.#open = true;
    for (const fd of this.#fds)
      this.#reactor.add(fd, READABLE, () => this.#accept(fd, MAX_ACCEPTS));
  }

  /** Let nobody in. */
  close(): void {
    clearTimeout(this.#pause);
    this.#pause = undefined;
    if (!this.#open) return;
    this.#open = false;
    for (const fd of this.#fds) this.#reactor.remove(fd);
  }

  /** Let in who waits now, at most `most` at each socket, and then nobody. */
  last(most: number): void {
    if (this.#open) for (const fd of this.#fds) this.#accept(fd, most);
    this.close();
  }

  #accept(listener: number, most: number): void {
    for (let i = 0; i < most; i++) {
      if (!this.#needs.room()) return this.close();
      const fd = accept(listener);
      if (fd < 0) this.#needs.unused?.();
      if (fd === AGAIN) return;
      if (fd === EXHAUSTED) return this.#wait();
      if (fd < 0) continue; // it left while it waited
      this.#pauses = 0;
      this.#needs.take(fd);
    }
  }

  #wait(): void {
    this.close();
    this.#pause = setTimeout(
      () => {
        this.#pause = undefined;
        this.open();
      },
      backoff(++this.#pauses, PAUSES),
    );
    if (this.#reactor.now < this.#tellAt) return;
    this.#tellAt = this.#reactor.now + EXHAUSTED_TELL_MS;
    this.#needs.exhausted();
  }
}
