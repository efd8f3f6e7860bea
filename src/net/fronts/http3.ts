import type { Server } from "bun";

import type { Address } from "../../core/address.ts";
import type { Certificates } from "../certificates.ts";
import { serve } from "./backstage.ts";
import type { Front } from "./front.ts";

/** How often we look whether the certificates changed. */
const LOOK_MS = 5000;

/** HTTP/3 of the runtime on the UDP port beside a TLS listener; made anew when a certificate changes. */
export class Http3 {
  #server: Server<undefined> | undefined;
  #version = -1;
  readonly #timer: Timer;
  readonly #front: Front;
  readonly #address: Address & { kind: "tcp" };
  readonly #certificates: Certificates;

  /** Throws when the UDP port can't be bound. */
  constructor(front: Front, address: Address & { kind: "tcp" }, certificates: Certificates) {
    this.#front = front;
    this.#address = address;
    this.#certificates = certificates;
    this.#begin();
    this.#timer = setInterval(() => this.#begin(), LOOK_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
    void this.#server?.stop(false);
  }

  #begin(): void {
    if (this.#version === this.#certificates.version) return;
    const certificate = this.#certificates.find(undefined);
    if (certificate === undefined) return;
    const old = this.#server;
    this.#server = Bun.serve({
      hostname: this.#address.host === "" ? "::" : this.#address.host,
      port: this.#address.port,
      reusePort: true,
      http1: false,
      http3: true,
      tls: { cert: certificate.cert, key: certificate.key },
      development: false,
      maxRequestBodySize: Number.MAX_SAFE_INTEGER,
      fetch: (request, server) => {
        const ip = server.requestIP(request);
        const remote = { address: ip?.address ?? "", port: ip?.port ?? 0 };
        return serve(request, { front: this.#front, remote, secure: true }, "HTTP/3");
      },
    });
    this.#version = this.#certificates.version;
    void old?.stop(false);
  }
}
