import type { Server } from "bun";

import type { Address } from "../../core/address.ts";
import type { Certificate, Certificates } from "../certificates.ts";
import { serve } from "./backstage.ts";
import type { Front } from "./front.ts";

/** How often we look whether the certificates changed. */
const LOOK_MS = 5000;

/** HTTP/3 of the runtime on the UDP port beside a TLS listener; made anew when a certificate changes. */
export class Http3 {
  #server: Server<undefined> | undefined;
  #serving: readonly Certificate[] = [];
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
    const all = this.#certificates.all();
    const [first] = all;
    if (first === undefined || same(all, this.#serving)) return;
    // The runtime answers with the first for a name that none is for, and takes one name an entry.
    const named = all.flatMap(({ cert, key, names }) =>
      names.map((serverName) => ({ cert, key, serverName })),
    );
    const old = this.#server;
    this.#server = Bun.serve({
      hostname: this.#address.host === "" ? "::" : this.#address.host,
      port: this.#address.port,
      reusePort: true,
      http1: false,
      http3: true,
      tls: [{ cert: first.cert, key: first.key }, ...named],
      development: false,
      maxRequestBodySize: Number.MAX_SAFE_INTEGER,
      fetch: (request, server) => {
        const ip = server.requestIP(request);
        const remote = { address: ip?.address ?? "", port: ip?.port ?? 0 };
        return serve(request, { front: this.#front, remote, secure: true }, "HTTP/3");
      },
    });
    this.#serving = all;
    void old?.stop(false);
  }
}

function same(a: readonly Certificate[], b: readonly Certificate[]): boolean {
  return a.length === b.length && a.every((one, i) => one === b[i]);
}
