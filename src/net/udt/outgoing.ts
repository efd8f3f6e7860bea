import { MAX_TRAIN } from "../../sys/datagram-trains.ts";
import { TrainSender } from "../../sys/train-sender.ts";
import { type Reactor, READABLE, WRITABLE } from "../reactor.ts";

/** Trains that one system call sends. Many are of one datagram: acknowledgements. */
const SEND_TRAINS = 64;
/** Few bytes, so that what is sent is still in the processor's cache. */
const SEND_BYTES = 4 * MAX_TRAIN;

/** What an endpoint is about to send. While the kernel takes nothing, nothing more is written. */
export class Outgoing {
  /** Where datagrams are written to, and `push`ed, if there `hasRoom`. */
  readonly trains = new TrainSender(SEND_TRAINS, SEND_BYTES);
  readonly #fd: number;
  readonly #reactor: Reactor;
  #blocked = false;

  /** `fd`: a UDP socket that `reactor` has. */
  constructor(fd: number, reactor: Reactor) {
    this.#fd = fd;
    this.#reactor = reactor;
  }

  get blocked(): boolean {
    return this.#blocked;
  }

  /** For a datagram of a few bytes. */
  get hasRoom(): boolean {
    return !this.#blocked && !this.trains.full;
  }

  /** Send what is there. False: the kernel takes nothing now. */
  send(): boolean {
    if (this.#blocked) return false;
    if (this.trains.send(this.#fd)) return true;
    this.#blocked = true;
    this.#reactor.modify(this.#fd, READABLE | WRITABLE);
    return false;
  }

  /** The kernel takes something again. */
  ready(): void {
    if (!this.#blocked) return;
    this.#blocked = false;
    this.#reactor.modify(this.#fd, READABLE);
  }
}
