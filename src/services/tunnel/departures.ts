import type { Route } from "../../sys/datagram-route.ts";
import { longestTrain, MAX_TRAIN } from "../../sys/datagram-trains.ts";
import type { Block } from "../../sys/memory.ts";
import { TrainSender } from "../../sys/train-sender.ts";

/** Trains that one system call sends. */
const TRAINS = 32;
/** Bytes of them together, at most. */
const BYTES = 4 * MAX_TRAIN;
/** Longer datagrams than that nobody makes: the device's MTU, and what is around a packet. */
const LONGEST = 65_536;

/**
 * Datagrams on their way out of one socket. Those of one length for one peer, one after another, go
 * as a train. Behind the trains there is room for one packet as it comes from a device (`spare`), so
 * that it can be cut without leaving this memory.
 */
export class Departures {
  readonly block: Block;
  /** Where a packet may be read into, `SPARE` bytes. */
  readonly spare: number;
  readonly #sender: TrainSender;
  readonly #limit: number;
  #route: Route | undefined;
  #segment = 0;
  #count = 0;
  #most = 0;
  #bytes = 0;
  #start = 0;

  constructor(spare: number) {
    this.#limit = BYTES;
    this.spare = BYTES + LONGEST;
    this.#sender = new TrainSender(TRAINS, this.spare + spare + MAX_TRAIN);
    const { bytes, at } = this.#sender;
    this.block = { buffer: bytes.buffer, bytes, view: new DataView(bytes.buffer), at };
  }

  /** Is there no room for another datagram? Then `send`. */
  get full(): boolean {
    // The train that is being made is one, too: the next datagram may end it, and begin another.
    const making = this.#count > 0 ? 1 : 0;
    if (this.#sender.full || this.#sender.free <= making) return true;
    return this.#start + this.#bytes + LONGEST > this.#limit;
  }
  /** Where the next datagram is to be written. */
  get next(): number {
    return this.#start + this.#bytes;
  }
  /** Datagrams that the path is known to be too short for, since it began. */
  get tooLong(): number {
    return this.#sender.tooLong;
  }

  /** The `length` bytes at `next` are a datagram for `route`. */
  add(route: Route, length: number): void {
    if (this.#count > 0 && (route !== this.#route || length > this.#segment)) this.#close();
    if (this.#count === 0) {
      this.#route = route;
      this.#segment = length;
      this.#most = longestTrain(length);
    }
    this.#bytes += length;
    // A shorter one can only be the last.
    if (++this.#count === this.#most || length < this.#segment) this.#close();
  }

  /** Send all. False: the socket has no room now; what is left goes with the next `send`. */
  send(fd: number): boolean {
    this.#close();
    const done = this.#sender.pending === 0 || this.#sender.send(fd);
    if (done) this.#start = this.#sender.offset;
    return done;
  }

  /** Forget what has not gone. */
  drop(): void {
    this.#count = 0;
    this.#bytes = 0;
    this.#sender.drop();
    this.#start = this.#sender.offset;
  }

  #close(): void {
    if (this.#count === 0 || this.#route === undefined) return;
    this.#sender.push(this.#route, this.#bytes, this.#segment);
    this.#start = this.#sender.offset;
    this.#count = 0;
    this.#bytes = 0;
  }
}
