import type { Socket } from "bun";

import type { SocketOptions } from "../../core/socket-options.ts";
import { close } from "../../sys/socket.ts";
import type { ClientHello } from "../../wire/tls/client-hello.ts";
import type { Certificates } from "../certificates.ts";
import { SecureDuplex } from "../duplex/secure-duplex.ts";
import { type Opened, Opening } from "../fronts/opening.ts";
import { type ClientCheck, clientRefused, tlsOptions } from "../fronts/tls-options.ts";
import type { Remote } from "../http1/plain-transport.ts";
import type { Reactor } from "../reactor.ts";

/** How a listener speaks TLS. */
export interface ServerTls {
  /** By server name. */
  readonly certificates: Certificates;
  /** ALPN names, in our order of preference; a client that offers none of them goes on without. */
  readonly alpn: readonly string[];
  /** Undefined: that of the certificates. */
  readonly minVersion?: Certificates["minVersion"];
  readonly clients?: ClientCheck;
}

export interface WelcomeOptions {
  readonly reactor: Reactor;
  readonly tls: ServerTls;
  /** A PROXY header comes first, in a version of these. */
  readonly proxy: SocketOptions["proxyProtocol"];
  /** When the handshake is to be over, in the reactor's time. */
  readonly deadline: number;
}

/** A client with whom hands are shaken. */
export interface Welcomed {
  readonly duplex: SecureDuplex;
  readonly tls: Socket<unknown>;
  readonly hello: ClientHello;
  /** As a PROXY header says; undefined without one. */
  readonly remote: Remote | undefined;
  /** What was agreed on. */
  readonly alpn: string | undefined;
}

/**
 * A TLS client from its first byte to the end of the handshake. Calls `done` once, unless it is
 * `broken` by its owner: with the client, or with the reason why there is none, closed already.
 */
export class Welcome {
  readonly deadline: number;
  readonly #options: WelcomeOptions;
  readonly #done: (welcomed: Welcomed | string) => void;
  readonly #opening: Opening;
  #duplex: SecureDuplex | undefined;
  #over = false;

  constructor(fd: number, options: WelcomeOptions, done: (welcomed: Welcomed | string) => void) {
    this.#options = options;
    this.#done = done;
    const { proxy, deadline, reactor } = options;
    this.deadline = deadline;
    this.#opening = new Opening(fd, { proxy, hello: true }, deadline, reactor, (opened) => {
      if (opened?.hello === undefined) this.#end("no ClientHello");
      else this.#shake(fd, opened, opened.hello);
    });
  }

  /** Begin, with bytes that may be there already. */
  run(): void {
    this.#opening.look();
  }

  /** Close it; `done` is not called. */
  broken(): void {
    if (this.#over) return;
    this.#over = true;
    if (this.#duplex === undefined) this.#opening.broken();
    else this.#duplex.abort();
  }

  #shake(fd: number, { remote }: Opened, hello: ClientHello): void {
    const { tls, reactor } = this.#options;
    const certificate = tls.certificates.find(hello.serverName);
    if (certificate === undefined) {
      close(fd);
      return this.#end("no certificate");
    }
    const alpn = tls.alpn.filter((name) => hello.alpn.includes(name));
    const minVersion = tls.minVersion ?? tls.certificates.minVersion;
    reactor.nudge();
    const duplex = new SecureDuplex(
      fd,
      { side: "server", tls: tlsOptions(certificate, alpn, minVersion, tls.clients) },
      (socket, ok, why) => {
        const refused = ok
          ? tls.clients && clientRefused(socket, why, tls.clients)
          : (why?.message ?? "failed");
        if (refused !== undefined) return this.#fail(refused);
        const agreed = (socket as unknown as { alpnProtocol: string | false }).alpnProtocol;
        this.#end({ duplex, tls: socket, hello, remote, alpn: agreed || undefined });
      },
    );
    this.#duplex = duplex;
    duplex.owner = { readable() {}, writable() {}, broken: () => this.#fail("broken off") };
  }

  #fail(why: string): void {
    this.#duplex?.close();
    this.#end(why);
  }

  #end(result: Welcomed | string): void {
    if (this.#over) return;
    this.#over = true;
    this.#done(result);
  }
}
