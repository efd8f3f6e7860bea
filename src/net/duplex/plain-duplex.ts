import { address, block } from "../../sys/memory.ts";
import * as socket from "../../sys/socket.ts";
import { AGAIN, GONE } from "../../sys/socket.ts";
import { BROKEN, EDGE, HALF_CLOSED, type Reactor, READABLE, WRITABLE } from "../reactor.ts";
import { type Duplex, type DuplexOwner, NOBODY } from "./duplex.ts";
import { linger } from "./linger.ts";

/** What `take` reads into: nothing in it lasts. */
const TAKEN = block(64 * 1024);

/**
 * A socket that the reactor watches, from the first time that there is something to wait for: a
 * short conversation costs no epoll_ctl. Edge-triggered, so that a change of mind costs none either.
 */
export class PlainDuplex implements Duplex {
  owner: DuplexOwner = NOBODY;
  readonly #fd: number;
  readonly #reactor: Reactor;
  /** Worth trying; false only while the reactor will tell. */
  #readable = true;
  #writable = true;
  /** The end is in sight: it is not told twice, so read on until it is there. */
  #hungUp = false;
  #watched = 0;
  #open = true;

  /** `events`: the reactor watches it as a Dialer leaves it, and this is what that was told. */
  constructor(fd: number, reactor: Reactor, events?: number) {
    this.#fd = fd;
    this.#reactor = reactor;
    if (events === undefined) return;
    this.#watched = READABLE | WRITABLE;
    this.#hungUp = (events & (HALF_CLOSED | BROKEN)) !== 0;
    reactor.handOver(fd, this.#ready);
  }

  read(into: Uint8Array): number {
    return this.#receive(address(into), into.length);
  }

  take(): Uint8Array | 0 | typeof AGAIN | typeof GONE {
    const n = this.#receive(TAKEN.at, TAKEN.bytes.length);
    return n > 0 ? TAKEN.bytes.subarray(0, n) : (n as 0 | typeof AGAIN | typeof GONE);
  }

  #receive(at: number, length: number): number {
    if (!this.#open) return GONE;
    if (!this.#readable) {
      this.#watch(READABLE);
      return AGAIN;
    }
    const n = socket.receive(this.#fd, at, length);
    if (n === AGAIN) {
      this.#readable = false;
      this.#watch(READABLE);
    } else if (n > 0 && n < length) this.#readable = this.#hungUp; // epoll(7): that was all
    return n;
  }

  /** Nothing to do: what is not read stays in the kernel. */
  hold(): void {}

  write(bytes: Uint8Array, from: number, to: number): number {
    if (!this.#open) return GONE;
    if (!this.#writable) return AGAIN;
    const n = socket.send(this.#fd, address(bytes) + from, to - from, false);
    if (n < to - from && n !== GONE) {
      this.#writable = false;
      this.#watch(READABLE | WRITABLE);
    }
    return n;
  }

  finish(): void {
    if (this.#open) socket.finish(this.#fd);
  }
  close(): void {
    if (!this.#open) return;
    const unread = this.#readable && this.#receive(TAKEN.at, TAKEN.bytes.length) > 0;
    if (unread) linger(this.release(), this.#reactor);
    else if (this.#forget()) socket.close(this.#fd);
  }
  abort(): void {
    if (this.#forget()) socket.abort(this.#fd);
  }
  /** Give the descriptor away, watched by nobody. */
  release(): number {
    this.#open = false;
    if (this.#watched !== 0) this.#reactor.remove(this.#fd);
    return this.#fd;
  }

  #watch(events: number): void {
    if ((this.#watched & events) === events) return;
    const first = this.#watched === 0;
    this.#watched |= events;
    const asked = this.#watched | HALF_CLOSED | EDGE;
    if (first) this.#reactor.add(this.#fd, asked, this.#ready);
    else this.#reactor.modify(this.#fd, asked);
  }

  readonly #ready = (events: number): void => {
    if ((events & (HALF_CLOSED | BROKEN)) !== 0) this.#hungUp = true;
    if ((events & (READABLE | HALF_CLOSED | BROKEN)) !== 0) {
      this.#readable = true;
      this.owner.readable();
    }
    if ((events & (WRITABLE | BROKEN)) !== 0 && !this.#writable) {
      this.#writable = true;
      if (this.#open) this.owner.writable();
    }
  };

  #forget(): boolean {
    if (!this.#open) return false;
    this.#open = false;
    if (this.#watched !== 0) this.#reactor.forget(this.#fd);
    return true;
  }
}
