import type { Socket } from "bun";

import { AGAIN, GONE, resetOnClose } from "../../sys/socket.ts";
import { Adopted, type AdoptOptions, type SecureEvents } from "../tls/adopt.ts";
import { type Duplex, type DuplexOwner, NOBODY } from "./duplex.ts";

/**
 * Decrypted bytes that wait to be read; with more of them the peer is held back. One record: the
 * runtime decrypts what it has read, up to half a megabyte, before it can be told to stop.
 */
const HIGH = 16 * 1024;

/** What became of the handshake. */
export type Shaken = (tls: Socket<unknown>, ok: boolean, why: Error | undefined) => void;

/** A TLS connection of the runtime. `fd` is the runtime's from here on. */
export class SecureDuplex implements Duplex, SecureEvents {
  owner: DuplexOwner = NOBODY;
  readonly #fd: number;
  readonly #shaken: Shaken;
  readonly #tls: Adopted;
  #chunks: Uint8Array[] = [];
  /** What of the first one has been read. */
  #from = 0;
  #held = 0;
  #paused = false;
  #onHold = false;
  #ended = false;
  #writable = true;
  #broken = false;
  #open = true;

  /** `shaken` is called once, unless the connection breaks before (`broken`) or is closed. */
  constructor(fd: number, options: Omit<AdoptOptions, "halfOpen">, shaken: Shaken) {
    this.#fd = fd;
    this.#shaken = shaken;
    this.#tls = new Adopted(fd, { ...options, halfOpen: true }, this);
  }

  read(into: Uint8Array): number {
    const first = this.#chunks[0];
    if (first === undefined) return this.#nothing();
    const n = Math.min(into.length, first.length - this.#from);
    into.set(first.subarray(this.#from, this.#from + n));
    this.#from += n;
    if (this.#from === first.length) this.#chunks.shift();
    if (this.#from === first.length) this.#from = 0;
    this.#leave(n);
    return n;
  }

  take(): Uint8Array | 0 | typeof AGAIN | typeof GONE {
    const first = this.#chunks.shift();
    if (first === undefined) return this.#nothing();
    const bytes = this.#from === 0 ? first : first.subarray(this.#from);
    this.#from = 0;
    this.#leave(bytes.length);
    return bytes;
  }

  hold(on: boolean): void {
    this.#onHold = on;
    this.#steer();
  }

  write(bytes: Uint8Array, from: number, to: number): number {
    const { socket: tls } = this.#tls;
    if (!this.#open || this.#broken || tls === undefined) return GONE;
    if (!this.#writable) return AGAIN;
    const n = tls.write(bytes, from, to - from);
    if (n < 0) return GONE;
    this.#writable = n === to - from;
    return n === 0 ? AGAIN : n;
  }

  finish(): void {
    if (this.#open && !this.#broken) this.#tls.socket?.shutdown();
  }
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#tls.close();
  }
  abort(): void {
    if (!this.#open) return;
    this.#open = false;
    if (!this.#broken) resetOnClose(this.#fd);
    this.#tls.abort();
  }

  shaken(tls: Socket<unknown>, ok: boolean, why: Error | undefined): void {
    if (this.#open) this.#shaken(tls, ok, why);
  }
  data(bytes: Uint8Array): void {
    if (!this.#open) return;
    this.#chunks.push(bytes);
    this.#held += bytes.length;
    this.owner.readable();
    this.#steer();
  }
  drain(): void {
    this.#writable = true;
    if (this.#open) this.owner.writable();
  }
  end(): void {
    this.#ended = true;
    if (this.#open) this.owner.readable();
  }
  closed(error: Error | undefined): void {
    // Closed by the runtime without an end: the other side broke it off, or TLS did.
    this.#broken = error !== undefined || !this.#ended;
    this.#writable = true;
    if (!this.#open) return;
    if (this.#broken) this.owner.broken();
    else this.owner.readable();
  }

  #nothing(): 0 | typeof AGAIN | typeof GONE {
    if (this.#ended) return 0;
    return this.#broken || !this.#open ? GONE : AGAIN;
  }

  #leave(bytes: number): void {
    this.#held -= bytes;
    this.#steer();
  }

  /** Pause when there is enough, go on when all is read. */
  #steer(): void {
    const enough = this.#onHold || this.#held > (this.#paused ? 0 : HIGH);
    if (enough === this.#paused || !this.#open) return;
    this.#paused = enough;
    if (enough) this.#tls.socket?.pause();
    else this.#tls.socket?.resume();
  }
}
