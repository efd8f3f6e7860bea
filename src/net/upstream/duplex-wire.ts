import { AGAIN, GONE } from "../../sys/socket.ts";
import { type Duplex, type DuplexOwner, NOBODY } from "../duplex/duplex.ts";
import type { Wire, WireListener } from "./wire.ts";

/** A connection that others made ready (TLS), as an upstream connection wants it. */
export class DuplexWire implements Wire, DuplexOwner {
  readonly #duplex: Duplex;
  readonly #listener: WireListener;
  #open = true;
  #paused = false;

  /** Takes over from whoever had it. */
  constructor(duplex: Duplex, listener: WireListener) {
    this.#duplex = duplex;
    this.#listener = listener;
    duplex.owner = this;
  }

  // What the connection tells.

  readable(): void {
    while (this.#open && !this.#paused) {
      const got = this.#duplex.take();
      if (got === AGAIN) return;
      if (got === GONE) return this.#listener.broken();
      if (got === 0) return this.#listener.ended();
      this.#listener.feed(got, 0, got.length);
    }
  }
  writable(): void {
    if (this.#open) this.#listener.writable();
  }
  broken(): void {
    if (this.#open) this.#listener.broken();
  }

  // What the listener wants.

  write(bytes: Uint8Array, from: number, to: number): number {
    return this.#duplex.write(bytes, from, to);
  }
  pause(): void {
    this.#paused = true;
    this.#duplex.hold(true);
  }
  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#duplex.hold(false);
    // Not within the call of whoever wants more.
    queueMicrotask(() => this.readable());
  }

  finish(): void {
    this.#duplex.finish();
  }
  close(): void {
    this.#forget();
    this.#duplex.close();
  }
  abort(): void {
    this.#forget();
    this.#duplex.abort();
  }

  #forget(): void {
    this.#open = false;
    this.#duplex.owner = NOBODY;
  }
}
