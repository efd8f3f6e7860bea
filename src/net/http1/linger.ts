import { MAX_SWALLOWED } from "./exchange.ts";
import type { Transport } from "./transport.ts";

/** How long a closing connection waits for the peer's end. */
export const LINGER_MS = 2000;

/**
 * The end of a connection whose peer may still be sending: all is said, and what comes is read and
 * dropped until the peer's own end. Closed at once, its bytes would be answered by a reset, which
 * eats the last response (RFC 9112, 9.6).
 */
export class Linger {
  #swallowed = 0;

  constructor(transport: Transport) {
    transport.finish();
    transport.interest(true, false);
  }

  /** So many bytes more; false when it is too much. */
  swallow(count: number): boolean {
    this.#swallowed += count;
    return this.#swallowed <= MAX_SWALLOWED;
  }
}
