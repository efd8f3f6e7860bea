import { AGAIN, GONE } from "../../sys/socket.ts";
import type { Duplex, DuplexOwner } from "./duplex.ts";

/** The connection broke or was closed: reads and writes throw it. A handler may let it pass. */
export class ConnectionLost extends Error {
  override name = "ConnectionLost";
}

interface Reader {
  /** Undefined: whatever comes, in memory of its own. */
  readonly into: Uint8Array | undefined;
  resolve(got: number | Uint8Array | undefined): void;
  reject(error: Error): void;
}

interface Writer {
  readonly bytes: Uint8Array;
  from: number;
  resolve(): void;
  reject(error: Error): void;
}

/** A duplex to wait for: what cannot be done at once is a promise. */
export class Awaited implements DuplexOwner {
  readonly duplex: Duplex;
  /** Bytes went while somebody waited; whoever looks sets it back. */
  moved = false;
  #reader: Reader | undefined;
  readonly #writers: Writer[] = [];
  #flushed: (() => void) | undefined;
  /** Why there is nothing more to be had of it. */
  #lost: string | undefined;

  constructor(duplex: Duplex) {
    this.duplex = duplex;
    duplex.owner = this;
  }

  get reading(): boolean {
    return this.#reader !== undefined;
  }
  get writing(): boolean {
    return this.#writers.length > 0;
  }

  /** Bytes read to the beginning of `into`, at least one; 0 at the end. Throws ConnectionLost. */
  read(into: Uint8Array): number | Promise<number> {
    if (into.length === 0) throw new RangeError("nothing can be read into no bytes");
    this.#mayRead();
    const n = this.duplex.read(into);
    if (n === AGAIN) return this.#wait(into) as Promise<number>; // as for its Reader
    if (n === GONE) throw this.#gone();
    return n;
  }

  /** Whatever comes next; undefined at the end. Throws ConnectionLost. */
  async some(): Promise<Uint8Array | undefined> {
    this.#mayRead();
    const got = this.duplex.take();
    if (got === AGAIN) return this.#wait(undefined) as Promise<Uint8Array | undefined>; // as for its Reader
    if (got === GONE) throw this.#gone();
    return got === 0 ? undefined : got.slice();
  }

  /** Nothing when all went out at once, else a promise of that. Throws ConnectionLost. */
  write(bytes: Uint8Array): void | Promise<void> {
    this.check();
    let from = 0;
    if (this.#writers.length === 0) {
      const n = this.duplex.write(bytes, 0, bytes.length);
      if (n === GONE) throw this.#gone();
      if (n === bytes.length) return;
      from = Math.max(0, n);
    }
    return new Promise((resolve, reject) => {
      this.#writers.push({ bytes, from, resolve, reject });
    });
  }

  /** When everything written is out, or can never be. */
  async flushed(): Promise<void> {
    if (this.#writers.length > 0 && this.#lost === undefined)
      await new Promise<void>((resolve) => {
        this.#flushed = resolve;
      });
  }

  /** Throws ConnectionLost when it is. */
  check(): void {
    if (this.#lost !== undefined) throw new ConnectionLost(this.#lost);
  }

  /** Nobody is to wait any more: `why` is thrown at all who do, and at all who come. */
  lose(why: string): void {
    this.#lost ??= why;
    const reader = this.#reader;
    this.#reader = undefined;
    reader?.reject(new ConnectionLost(this.#lost));
    for (const writer of this.#writers.splice(0)) writer.reject(new ConnectionLost(this.#lost));
    this.#flushed?.();
  }

  readable(): void {
    const reader = this.#reader;
    if (reader === undefined) return;
    const got = reader.into === undefined ? this.duplex.take() : this.duplex.read(reader.into);
    if (got === AGAIN) return;
    if (got === GONE) return this.broken();
    this.moved = true;
    this.#reader = undefined;
    if (typeof got !== "number") reader.resolve(got.slice());
    else reader.resolve(reader.into === undefined ? undefined : got);
  }

  writable(): void {
    for (let writer; (writer = this.#writers[0]) !== undefined; this.#writers.shift()) {
      const { bytes, from } = writer;
      const n = this.duplex.write(bytes, from, bytes.length);
      if (n === AGAIN) return;
      if (n === GONE) return this.broken();
      this.moved = true;
      writer.from += n;
      if (writer.from < bytes.length) return;
      writer.resolve();
    }
    this.#flushed?.();
  }

  broken(): void {
    this.lose("broken off");
  }

  #mayRead(): void {
    this.check();
    if (this.#reader !== undefined) throw new Error("one read at a time");
  }

  #gone(): ConnectionLost {
    this.broken();
    return new ConnectionLost("broken off");
  }

  #wait(into: Uint8Array | undefined): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#reader = { into, resolve, reject };
    });
  }
}
