import type { Remote } from "../../net/http1/plain-transport.ts";
import { BROKEN, READABLE, WRITABLE } from "../../net/reactor.ts";
import { address as addressOf, block } from "../../sys/memory.ts";
import * as socket from "../../sys/socket.ts";
import type { StreamGuest, StreamPlane } from "./stream-plane.ts";
import { DnsStream, MAX_MESSAGE, type Wire } from "./stream.ts";
import { clientBytes } from "./via.ts";

/** Every connection of the thread reads into it; nothing in it lasts beyond `feed`. */
const READ = block(64 * 1024);
/** Reads from one connection before its neighbours get their turn. */
const MAX_READS = 4;

/** A TCP connection that the reactor watches. */
export class PlainGuest implements StreamGuest, Wire {
  readonly client: string;
  lastActive: number;
  readonly #plane: StreamPlane;
  readonly #fd: number;
  readonly #stream: DnsStream;
  #events = READABLE;
  #registered = false;
  #open = true;

  constructor(plane: StreamPlane, fd: number, { address, port }: Remote) {
    this.#plane = plane;
    this.#fd = fd;
    this.client = address;
    const { now } = plane.reactor;
    this.lastActive = now;
    const via = {
      transport: "tcp",
      client: clientBytes(address),
      port,
      room: MAX_MESSAGE,
      now,
      wall: 0,
    } as const;
    this.#stream = new DnsStream(this, via, () => plane.answerer);
  }

  /** Begin, with bytes that may be there already. */
  run(): void {
    socket.noDelay(this.#fd);
    this.#ready(READABLE);
    if (!this.#open) return;
    this.#registered = true;
    this.#plane.reactor.add(this.#fd, this.#events, this.#ready);
  }

  get idle(): boolean {
    return this.#stream.idle;
  }
  deadline(idle: number): number {
    return this.#stream.deadline(idle);
  }
  end(): void {
    this.#stream.gone();
    this.close();
  }

  write(bytes: Uint8Array, from: number, to: number): number {
    return socket.send(this.#fd, addressOf(bytes) + from, to - from, false);
  }
  interest(reading: boolean, writing: boolean): void {
    const events = (reading ? READABLE : 0) | (writing ? WRITABLE : 0);
    if (events === this.#events) return;
    this.#events = events;
    if (this.#registered) this.#plane.reactor.modify(this.#fd, events);
  }
  close(): void {
    if (!this.#open) return;
    this.#forget();
    socket.close(this.#fd);
  }
  abort(): void {
    if (!this.#open) return;
    this.#forget();
    socket.abort(this.#fd);
  }

  readonly #ready = (events: number): void => {
    if (!this.#open) return;
    if ((events & READABLE) !== 0 && (this.#events & READABLE) !== 0) this.#read();
    else if ((events & BROKEN) !== 0) this.end();
    if (this.#open && (events & WRITABLE) !== 0)
      this.#stream.writable(this.#plane.reactor.now, this.#plane.wall);
  };

  #read(): void {
    const { reactor, wall } = this.#plane;
    for (let i = 0; i < MAX_READS; i++) {
      const n = socket.receive(this.#fd, READ.at, READ.bytes.length);
      if (n > 0) {
        this.lastActive = reactor.now;
        this.#plane.active(this);
        this.#stream.feed(READ.bytes, 0, n, reactor.now, wall);
        if (n < READ.bytes.length || !this.#open || (this.#events & READABLE) === 0) return;
        continue;
      }
      if (n === 0) this.#stream.ended();
      else if (n === socket.GONE) this.end();
      return;
    }
  }

  #forget(): void {
    this.#open = false;
    if (this.#registered) this.#plane.reactor.forget(this.#fd);
    this.#plane.left(this);
  }
}
