import type { Socket, SocketHandler } from "bun";

/** One direction of a relay: bytes from `from` that `to` has not taken yet. */
class Direction {
  #left: Uint8Array | undefined;
  #ended = false;

  constructor(
    readonly from: () => Socket<unknown> | undefined,
    readonly to: () => Socket<unknown> | undefined,
  ) {}

  /** `from` said `bytes`, which belong to the caller. */
  take(bytes: Uint8Array): void {
    const target = this.to();
    if (this.#left !== undefined || target === undefined) return this.#hold(bytes);
    const n = Math.max(0, target.write(bytes));
    if (n < bytes.length) this.#hold(bytes.subarray(n));
  }
  /** `to` has room. */
  drain(): void {
    const left = this.#left;
    this.#left = undefined;
    if (left !== undefined) this.take(left);
    if (this.#left !== undefined) return;
    if (this.#ended) this.to()?.end();
    else this.from()?.resume();
  }
  /** `from` will say no more. */
  end(): void {
    this.#ended = true;
    if (this.#left === undefined) this.to()?.end();
  }

  #hold(bytes: Uint8Array): void {
    this.#left = this.#left === undefined ? bytes.slice() : Buffer.concat([this.#left, bytes]);
    this.from()?.pause();
  }
}

/**
 * Bytes both ways between a client and our inner HTTP/2 server, with back-pressure: the slower
 * side pauses the other. `first` was read from the client already.
 */
export class Relay {
  #outer: Socket<unknown> | undefined;
  #inner: Socket<unknown> | undefined;
  readonly #in = new Direction(
    () => this.#outer,
    () => this.#inner,
  );
  readonly #out = new Direction(
    () => this.#inner,
    () => this.#outer,
  );
  readonly #closed: () => void;
  #over = false;

  constructor(first: Uint8Array | undefined, closed: () => void) {
    this.#closed = closed;
    if (first) this.#in.take(first);
  }

  /** What the inner socket's events do. */
  readonly inner: SocketHandler<unknown> = {
    open: (socket) => {
      this.#inner = socket;
      if (this.#over) socket.end();
      else this.#in.drain();
    },
    data: (_, bytes) => this.#out.take(bytes),
    drain: () => this.#in.drain(),
    close: () => this.close(),
    error: () => this.close(),
    connectError: () => this.close(),
  };

  /** The client's socket is there. */
  openOuter(socket: Socket<unknown>): void {
    this.#outer = socket;
    this.#out.drain();
  }
  outerData(bytes: Uint8Array): void {
    this.#in.take(bytes);
  }
  outerDrain(): void {
    this.#out.drain();
  }

  close(): void {
    if (this.#over) return;
    this.#over = true;
    this.#in.end();
    this.#out.end();
    this.#closed();
  }
}
