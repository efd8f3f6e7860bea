import { checkServerIdentity, type PeerCertificate } from "node:tls";

import type { Socket, TLSOptions } from "bun";

import { alpnList } from "../fronts/tls-options.ts";
import type { ClientTls } from "./client-tls.ts";
import type { HandshakeOptions } from "./handshake.ts";

/** Names are chosen by clients when the config says none: so many are kept with their TLS context. */
const MAX_KEPT = 256;

/** What one client's connection asks of a server. */
export interface Wish {
  /** The server's IP address, which its certificate is for when no name is known. */
  readonly address: string;
  /** As the client called us. */
  readonly serverName: string | undefined;
  /** What was agreed on with the client. */
  readonly alpn: string | undefined;
}

/** Our side of handshakes with servers, as a config wants it. */
export class ServerGreeting {
  readonly #tls: ClientTls;
  /** The runtime makes one TLS context per options object. */
  readonly #kept = new Map<string, TLSOptions>();

  constructor(tls: ClientTls) {
    this.#tls = tls;
  }

  to({ address, serverName, alpn }: Wish): Pick<HandshakeOptions, "side" | "tls" | "refuses"> {
    const name = this.#tls.serverName ?? serverName;
    return {
      side: "client",
      tls: this.#options(name, alpn),
      refuses: (socket, why) => this.#refuses(socket, why, name, address),
    };
  }

  #options(name: string | undefined, alpn: string | undefined): TLSOptions {
    const key = `${name ?? ""} ${alpn ?? ""}`;
    const known = this.#kept.get(key);
    if (known !== undefined) return known;
    const options = {
      ...this.#tls.options,
      ...(name !== undefined && { serverName: name }),
      ...(alpn !== undefined && { ALPNProtocols: alpnList([alpn]) }),
    };
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size < MAX_KEPT) break;
      this.#kept.delete(oldest);
    }
    this.#kept.set(key, options);
    return options;
  }

  #refuses(
    socket: Socket<unknown>,
    why: Error | undefined,
    name: string | undefined,
    address: string,
  ): string | undefined {
    const code = why && "code" in why ? String(why.code) : "";
    // Not about the certificate: there was no handshake.
    if (BROKEN.test(code)) return why?.message.trim() ?? code;
    if (!this.#tls.verify || socket.authorized) return undefined;
    // A good certificate, and without a name to ask for the runtime wants it to be for "localhost".
    if (name !== undefined || code !== "ERR_TLS_CERT_ALTNAME_INVALID")
      return why?.message.trim() ?? "refused";
    const shown = socket.getPeerCertificate() as unknown as PeerCertificate;
    return checkServerIdentity(address, shown)?.message;
  }
}

const BROKEN = /^(EPROTO|ECONN|EPIPE)/;
