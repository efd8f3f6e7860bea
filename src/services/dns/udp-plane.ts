import { type Address, showAddress } from "../../core/address.ts";
import type { Closable, Lease } from "../../core/lease.ts";
import { type Reactor, READABLE } from "../../net/reactor.ts";
import type { ListenSocket } from "../../net/sockets.ts";
import { DatagramBatch } from "../../sys/datagram.ts";
import { nap } from "../../sys/nap.ts";
import type { Answerer, Via } from "./via.ts";

/** Datagrams moved by one system call. */
const BATCH = 64;
/** Bytes of a query worth reading: with a TSIG and every option there is they stay far below. */
const QUERY_ROOM = 2048;
/** Bytes of the largest answer over UDP that any configuration allows. */
export const ANSWER_ROOM = 4096;
/** Batches before the neighbours in the event loop get their turn. */
const MAX_BATCHES = 16;
/**
 * While questions come faster than they are read one by one, a short rest lets them come in larger
 * batches: a fifth less CPU for each answer, for a tenth of a millisecond. Microseconds.
 */
const REST_US = 50;
/** A batch of so many needs no rest. */
const ENOUGH = 32;
/** Answers to these could only be misused: nobody asks from port 0. */
const NO_PORT = 0;

/** Every UDP listener of the thread reads into it; nothing in it lasts beyond `#ready`. */
let shared: DatagramBatch | undefined;

export interface UdpParts {
  readonly address: Address;
  readonly socket: Lease<ListenSocket>;
  readonly reactor: Reactor;
  /** Milliseconds since 1970. */
  readonly wall: () => number;
}

/** A UDP listener, however its datagrams are moved. */
export interface DatagramPlane extends Closable {
  /** `udp 127.0.0.1:53`. */
  readonly name: string;
  /** From now on `answerer` answers; `unsent` counts answers that the kernel does not take. */
  serve(answerer: Answerer, unsent: (count: number) => void): void;
  /** `answerer` ends: read no more, unless another has taken over. */
  leave(answerer: Answerer): void;
}

/** One UDP listener. It outlives a reload: `serve` puts another in charge of the answers. */
export class UdpPlane implements DatagramPlane {
  readonly #parts: UdpParts;
  readonly #batch: DatagramBatch;
  readonly #via: Via;
  #answerer: Answerer | undefined;
  #unsent: (count: number) => void = () => {};

  constructor(parts: UdpParts) {
    this.#parts = parts;
    this.#batch = shared ??= new DatagramBatch(BATCH, QUERY_ROOM, ANSWER_ROOM);
    this.#via = {
      transport: "udp",
      client: new Uint8Array(4),
      port: NO_PORT,
      room: ANSWER_ROOM,
      now: 0,
      wall: 0,
    };
  }

  get name(): string {
    const { address, socket } = this.#parts;
    return `udp ${showAddress(address.kind === "tcp" ? { ...address, port: socket.value.port } : address)}`;
  }

  serve(answerer: Answerer, unsent: (count: number) => void): void {
    this.#unsent = unsent;
    if (this.#answerer === undefined)
      for (const fd of this.#parts.socket.value.fds)
        this.#parts.reactor.add(fd, READABLE, () => this.#ready(fd));
    this.#answerer = answerer;
  }

  leave(answerer: Answerer): void {
    if (this.#answerer !== answerer) return;
    this.#answerer = undefined;
    for (const fd of this.#parts.socket.value.fds) this.#parts.reactor.remove(fd);
  }

  async close(): Promise<void> {
    if (this.#answerer !== undefined) this.leave(this.#answerer);
    await this.#parts.socket[Symbol.asyncDispose]();
  }

  #ready(fd: number): void {
    const answerer = this.#answerer;
    if (answerer === undefined) return;
    const batch = this.#batch;
    const via = this.#via;
    via.now = this.#parts.reactor.now;
    via.wall = this.#parts.wall();
    for (let round = 0; round < MAX_BATCHES; round++) {
      const count = batch.receive(fd);
      for (let i = 0; i < count; i++) {
        via.port = batch.portOf(i);
        if (batch.cut(i) || via.port === NO_PORT) continue;
        const from = i * QUERY_ROOM;
        via.client = batch.clientOf(i);
        const length = answerer.respond(
          batch.bytes,
          from,
          from + batch.lengthOf(i),
          via,
          batch.answers,
          batch.answerAt,
        );
        if (length > 0) batch.answer(i, length);
      }
      const unsent = batch.kept - batch.send(fd);
      if (unsent > 0) this.#unsent(unsent);
      if (count === 0) return;
      if (round > 0 && count < ENOUGH) nap(REST_US);
    }
  }
}
