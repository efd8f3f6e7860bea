import { readSync } from "node:fs";

import type { Socket } from "bun";

import { AGAIN, GONE } from "../../sys/socket.ts";
import type { Remote } from "./plain-transport.ts";
import type { Session } from "./session.ts";
import type { Transport } from "./transport.ts";

/** File bytes go through user space to be sealed: a few records at a time. */
const FILE_STEP = new Uint8Array(new ArrayBuffer(64 * 1024));

/** A session's bytes over a TLS socket of the runtime. */
export class SecureTransport implements Transport {
  readonly secure = true;
  readonly fileStep = FILE_STEP.length;
  readonly #socket: Socket<unknown>;
  readonly #remote: () => Remote;
  #session: Session | undefined;
  #reading = true;
  #open = true;

  constructor(socket: Socket<unknown>, remote: () => Remote) {
    this.#socket = socket;
    this.#remote = remote;
  }

  run(session: Session): void {
    this.#session = session;
  }
  received(bytes: Uint8Array): void {
    this.#session?.feed(bytes, 0, bytes.length);
  }
  drained(): void {
    if (this.#open) this.#session?.writable();
  }
  ended(): void {
    if (this.#open) this.#session?.ended();
  }
  gone(): void {
    if (this.#open) this.#session?.broken();
  }

  write(bytes: Uint8Array, from: number, to: number): number {
    if (!this.#open) return GONE;
    const n = this.#socket.write(bytes, from, to - from);
    if (n < 0) return GONE;
    return n === 0 ? AGAIN : n;
  }

  sendFile(file: number, offset: number, length: number): number {
    const want = Math.min(length, FILE_STEP.length);
    let got: number;
    try {
      got = readSync(file, FILE_STEP, 0, want, offset);
    } catch {
      return GONE; // the disk fails: as with sendfile, the connection says so
    }
    return got === 0 ? 0 : this.write(FILE_STEP, 0, got);
  }

  /** The runtime always tells of room after there was none. */
  interest(reading: boolean): void {
    if (reading === this.#reading || !this.#open) return;
    this.#reading = reading;
    if (reading) this.#socket.resume();
    else this.#socket.pause();
  }

  again(): void {
    setImmediate(() => this.drained());
  }

  remote(): Remote {
    return this.#remote();
  }
  finish(): void {
    this.#socket.shutdown();
  }
  close(): void {
    this.#open = false;
    this.#socket.end();
  }
  abort(): void {
    this.#open = false;
    this.#socket.terminate();
  }
}
