import type { Socket } from "bun";

import { peerOf } from "../../sys/peer.ts";
import type { ClientHello } from "../../wire/tls/client-hello.ts";
import type { Certificate } from "../certificates.ts";
import { type Remote, remoteOf } from "../http1/plain-transport.ts";
import { SecureTransport } from "../http1/secure-transport.ts";
import { Session } from "../http1/session.ts";
import { Adopted } from "../tls/adopt.ts";
import type { Front } from "./front.ts";
import type { Guest } from "./guest.ts";
import { FAREWELL_MS } from "./plain-relay.ts";
import { Relay } from "./relay.ts";
import { ACME_ALPN, tlsOptions } from "./tls-options.ts";

/** A TLS connection: shakes hands in the runtime, then becomes a session (HTTP/1) or a relay (HTTP/2). */
export class SecureGuest implements Guest {
  /** For the handshake, then for the client's leaving. */
  #leavesBy: number | undefined;
  readonly #began: number;
  readonly #front: Front;
  readonly #remote: Remote;
  #tls: Adopted | undefined;
  #transport: SecureTransport | undefined;
  #relay: Relay | undefined;
  #over = false;

  constructor(front: Front, fd: number, remote: Remote | undefined) {
    this.#front = front;
    this.#remote = remote ?? remoteOf(peerOf(fd));
    this.#began = front.now;
    this.#leavesBy = front.now + front.limits.headTimeout;
  }

  get deadline(): number {
    return this.#leavesBy ?? this.#relay?.deadline ?? Infinity;
  }
  get idleSince(): number {
    return this.#relay?.idleSince ?? this.#began;
  }

  /** Begin: `fd` belongs to the runtime from here on. */
  shake(fd: number, certificate: Certificate, hello: ClientHello): void {
    const acme = hello.alpn.includes(ACME_ALPN);
    const alpn = acme ? [ACME_ALPN] : this.#front.http2 ? ["h2", "http/1.1"] : ["http/1.1"];
    // RFC 7301, 3.2 lets a server go on without ALPN when it shares none with the client.
    const shared = alpn.filter((name) => hello.alpn.includes(name));
    const tls = tlsOptions(
      certificate,
      shared.length > 0 ? shared : ["http/1.1"],
      this.#front.minVersion,
    );
    this.#tls = new Adopted(
      fd,
      { side: "server", tls },
      {
        shaken: (socket, ok) => this.#shaken(socket, ok),
        data: (bytes) => this.#data(bytes),
        drain: () => {
          this.#transport?.drained();
          this.#relay?.outerDrain();
        },
        end: () => this.#transport?.ended(),
        closed: () => this.#closed(),
      },
    );
  }

  late(): void {
    if (this.#leavesBy === undefined && this.#relay?.idle) this.#relay.close();
    else this.broken();
  }
  leaveIfIdle(): void {
    if (this.#relay?.idle) this.#relay.close();
  }
  broken(): void {
    this.#tls?.abort();
    this.#closed();
  }

  #shaken(socket: Socket<unknown>, ok: boolean): void {
    const protocol = (socket as unknown as { alpnProtocol: string | false }).alpnProtocol;
    if (!ok || this.#over || protocol === ACME_ALPN) return this.broken();
    if (protocol === "h2") {
      this.#leavesBy = undefined;
      this.#relay = this.#front.relay(undefined, this.#remote, true, () => {
        this.#leavesBy = this.#front.now + FAREWELL_MS;
      });
      this.#relay.openOuter(socket);
      return;
    }
    const transport = new SecureTransport(socket, () => this.#remote);
    const session = new Session(this.#front, transport, this.#front.now);
    this.#transport = transport;
    transport.run(session);
    this.#front.becomes(this, session);
  }

  #data(bytes: Uint8Array): void {
    if (this.#relay !== undefined) this.#relay.outerData(bytes);
    else this.#transport?.received(bytes);
  }

  #closed(): void {
    if (this.#over) return;
    this.#over = true;
    this.#transport?.gone();
    this.#relay?.close();
    this.#front.left(this);
  }
}
