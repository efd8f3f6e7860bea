import { block } from "../../sys/memory.ts";
import * as socket from "../../sys/socket.ts";
import { BROKEN, HALF_CLOSED, type Reactor, READABLE, WRITABLE } from "../reactor.ts";
import { TurnWriter, type TurnWriterOwner } from "../turn-writer.ts";
import type { Wire, WireListener } from "./wire.ts";

/** Every upstream connection of the thread reads into it; nothing in it lasts beyond `feed`. */
const READ = block(128 * 1024);
/** Reads from one socket before its neighbours get their turn. */
const MAX_READS = 8;

/** A connected socket that the reactor watches for ALL_ONCE (see net/tcp/dialer.ts). */
export class PlainWire implements Wire, TurnWriterOwner {
  readonly #reactor: Reactor;
  readonly #fd: number;
  readonly #listener: WireListener;
  readonly #writer: TurnWriter;
  /** Finish when all is sent. */
  #finishing = false;
  #open = true;
  #paused = false;
  /** There may be bytes that nobody will tell of again: told once, and not read to the end. */
  #unread = false;

  /** Takes the socket over from whoever dialled it. */
  constructor(reactor: Reactor, fd: number, listener: WireListener) {
    this.#reactor = reactor;
    this.#fd = fd;
    this.#listener = listener;
    this.#writer = new TurnWriter(reactor, fd, this);
    reactor.handOver(fd, this.#ready);
  }

  write(bytes: Uint8Array, from: number, to: number): number {
    return this.#writer.write(bytes, from, to, false);
  }
  /** The reactor tells of room. */
  stuck(): void {}

  pause(): void {
    this.#paused = true;
  }
  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    if (this.#unread) this.#again();
  }

  finish(): void {
    if (this.#writer.push()) socket.finish(this.#fd);
    else this.#finishing = true;
  }
  close(): void {
    this.#writer.push();
    this.#forget();
    socket.close(this.#fd);
  }
  abort(): void {
    this.#forget();
    socket.abort(this.#fd);
  }

  readonly #ready = (events: number): void => {
    if (!this.#open) return;
    if ((events & WRITABLE) !== 0) this.#room();
    if (!this.#open) return;
    if ((events & (READABLE | HALF_CLOSED | BROKEN)) === 0) return;
    this.#unread = true;
    if (!this.#paused) this.#read((events & (HALF_CLOSED | BROKEN)) !== 0);
  };

  #room(): void {
    const waited = this.#writer.waits;
    if (waited && !this.#writer.push()) return;
    if (waited && this.#finishing) socket.finish(this.#fd);
    this.#listener.writable();
  }

  /** `last`: an end is there to be found, so a short read is not the last. */
  #read(last: boolean): void {
    for (let i = 0; i < MAX_READS; i++) {
      const n = socket.receive(this.#fd, READ.at, READ.bytes.length);
      if (n > 0) {
        this.#listener.feed(READ.bytes, 0, n);
        if (!this.#open) return;
        if (n < READ.bytes.length && !last) {
          this.#unread = false;
          return;
        }
        if (this.#paused) return;
        continue;
      }
      this.#unread = false;
      if (n === 0) this.#listener.ended();
      else if (n === socket.GONE) this.#listener.broken();
      return;
    }
    this.#again();
  }

  /** Others first. */
  #again(): void {
    setImmediate(() => {
      if (this.#open && !this.#paused && this.#unread) this.#read(true);
    });
    this.#reactor.nudge();
  }

  #forget(): void {
    this.#open = false;
    this.#writer.drop();
    this.#reactor.forget(this.#fd);
  }
}
