import type { Socket, SocketHandler } from "bun";

/** One direction of a relay: bytes from `from` that `to` has not taken yet. */
class Direction {
  #left: Uint8Array | undefined;
  #ended = false;

  constructor(
    readonly from: () => Socket<unknown> | undefined,
    readonly to: () => Socket<unknown> | undefined,
  ) {}

  /** `to` has not taken all yet. */
  get holds(): boolean {
    return this.#left !== undefined;
  }

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

/** The time, and how long a relay may be still. Of the front. */
interface Patience {
  readonly now: number;
  readonly limits: { readonly bodyTimeout: number; readonly keepAlive: number };
}

/**
 * Bytes both ways between a client and our inner HTTP/2 server, with back-pressure: the slower
 * side pauses the other. `first` was read from the client already.
 */
export class Relay {
  /** Requests in hand on this connection. */
  #requests = 0;
  /** When a byte went last, or a request ended. */
  idleSince: number;
  readonly #patience: Patience;
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

  /** `closed` is called once, when either side is at its end; what the client has not taken still goes out. */
  constructor(first: Uint8Array | undefined, patience: Patience, closed: () => void) {
    this.#patience = patience;
    this.idleSince = patience.now;
    this.#closed = closed;
    if (first) this.#in.take(first);
  }

  get over(): boolean {
    return this.#over;
  }
  /** No request in hand, and nothing on its way. */
  get idle(): boolean {
    return this.#requests === 0 && !this.#out.holds && !this.#in.holds;
  }
  /** When the client has been still for too long; Infinity while only we can be slow. */
  get deadline(): number {
    const { bodyTimeout, keepAlive } = this.#patience.limits;
    if (this.#out.holds) return this.idleSince + bodyTimeout;
    return this.idle ? this.idleSince + keepAlive : Infinity;
  }

  begin(): void {
    this.#requests++;
  }
  end(): void {
    this.#requests--;
    this.idleSince = this.#patience.now;
  }

  /** What the inner socket's events do. */
  readonly inner: SocketHandler<unknown> = {
    open: (socket) => {
      this.#inner = socket;
      if (this.#over) socket.end();
      else this.#in.drain();
    },
    data: (_, bytes) => {
      this.idleSince = this.#patience.now;
      this.#out.take(bytes);
    },
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
    this.idleSince = this.#patience.now;
    this.#in.take(bytes);
  }
  outerDrain(): void {
    this.idleSince = this.#patience.now;
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
