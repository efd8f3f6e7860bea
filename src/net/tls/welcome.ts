import type { SocketOptions } from "../../core/socket-options.ts";
import { close } from "../../sys/socket.ts";
import type { ClientHello } from "../../wire/tls/client-hello.ts";
import { Opening } from "../fronts/opening.ts";
import type { Remote } from "../http1/plain-transport.ts";
import type { Reactor } from "../reactor.ts";
import { Handshake, type Shaken } from "./handshake.ts";
import { answerTo, type ServerTls } from "./server-tls.ts";

export interface WelcomeOptions {
  readonly reactor: Reactor;
  readonly tls: ServerTls;
  /** A PROXY header comes first, in a version of these. */
  readonly proxy: SocketOptions["proxyProtocol"];
  /** Milliseconds for all that comes before the handshake, and again for that. */
  readonly timeout: number;
}

/** A client with whom hands are shaken. */
export interface Welcomed extends Shaken {
  readonly hello: ClientHello;
  /** As a PROXY header says; undefined without one. */
  readonly remote: Remote | undefined;
}

/**
 * A TLS client from its first byte to the end of the handshake. Calls `done` once, unless it is
 * `broken` before: with the client, or with the reason why there is none, closed already.
 */
export class Welcome {
  readonly #options: WelcomeOptions;
  readonly #done: (welcomed: Welcomed | string) => void;
  readonly #opening: Opening;
  readonly #timer: Timer;
  #handshake: Handshake | undefined;
  #over = false;

  constructor(fd: number, options: WelcomeOptions, done: (welcomed: Welcomed | string) => void) {
    const { proxy, timeout, reactor } = options;
    this.#options = options;
    this.#done = done;
    this.#timer = setTimeout(() => this.#opening.late(), timeout);
    const wanted = { proxy, hello: true };
    this.#opening = new Opening(fd, wanted, reactor.now + timeout, reactor, (opened) => {
      clearTimeout(this.#timer);
      if (opened?.hello === undefined) this.#end("no ClientHello");
      else this.#shake(fd, opened.hello, opened.remote);
    });
  }

  /** Begin, with bytes that may be there already. */
  run(): void {
    this.#opening.look();
  }

  /** Close it; `done` is not called. */
  broken(): void {
    this.#over = true;
    if (this.#handshake === undefined) this.#opening.broken();
    else this.#handshake.broken();
  }

  #shake(fd: number, hello: ClientHello, remote: Remote | undefined): void {
    const { tls, timeout, reactor } = this.#options;
    const answer = answerTo(hello, tls);
    if (answer === undefined) {
      close(fd);
      return this.#end("no certificate");
    }
    this.#handshake = new Handshake(fd, { ...answer, timeout, reactor }, (result) =>
      this.#end(typeof result === "string" ? result : { ...result, hello, remote }),
    );
  }

  #end(result: Welcomed | string): void {
    if (this.#over) return;
    this.#over = true;
    this.#done(result);
  }
}
