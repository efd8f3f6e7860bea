import type { Socket } from "bun";

import { SecureDuplex } from "../duplex/secure-duplex.ts";
import type { Reactor } from "../reactor.ts";
import type { AdoptOptions } from "./adopt.ts";

export interface HandshakeOptions extends Omit<AdoptOptions, "halfOpen"> {
  readonly reactor: Reactor;
  /** Milliseconds until it is given up. */
  readonly timeout: number;
  /**
   * Why the peer is not let in, although hands were shaken. Asked by the client's side also when
   * the runtime does not like the certificate (`why`).
   */
  readonly refuses: (tls: Socket<unknown>, why: Error | undefined) => string | undefined;
}

/** Hands are shaken. */
export interface Shaken {
  readonly duplex: SecureDuplex;
  readonly tls: Socket<unknown>;
  /** What was agreed on. */
  readonly alpn: string | undefined;
}

/**
 * A TLS handshake on `fd`, which is out of the reactor and the runtime's from here on. Calls `done`
 * once, unless it is `broken` before; with a text, which says why not, when the peer is closed.
 */
export class Handshake {
  readonly #duplex: SecureDuplex;
  readonly #done: (result: Shaken | string) => void;
  readonly #timer: Timer;
  #over = false;

  constructor(fd: number, options: HandshakeOptions, done: (result: Shaken | string) => void) {
    this.#done = done;
    this.#timer = setTimeout(() => this.#fail("took too long"), options.timeout);
    options.reactor.nudge();
    const duplex = new SecureDuplex(fd, options, (tls, ok, why) => {
      const shaken = ok || options.side === "client";
      const refused = shaken ? options.refuses(tls, why) : (why?.message.trim() ?? "failed");
      if (refused !== undefined) return this.#fail(refused);
      const agreed = (tls as unknown as { alpnProtocol: string | false }).alpnProtocol;
      this.#end({ duplex, tls, alpn: agreed || undefined });
    });
    duplex.owner = { readable() {}, writable() {}, broken: () => this.#fail("broken off") };
    this.#duplex = duplex;
  }

  /** Close it; `done` is not called. */
  broken(): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#timer);
    this.#duplex.abort();
  }

  #fail(why: string): void {
    if (this.#over) return;
    this.#duplex.close(); // an alert may be on its way
    this.#end(why);
  }

  #end(result: Shaken | string): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#timer);
    this.#done(result);
  }
}
