import type { ClientHello } from "../../wire/tls/client-hello.ts";
import type { Certificates } from "../certificates.ts";
import { type ClientCheck, clientRefused, tlsOptions } from "../fronts/tls-options.ts";
import type { HandshakeOptions } from "./handshake.ts";

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

/** Our side of the handshake with who said `hello`. Undefined: we have no certificate at all. */
export function answerTo(
  hello: ClientHello,
  { certificates, alpn, minVersion = certificates.minVersion, clients }: ServerTls,
): Pick<HandshakeOptions, "side" | "tls" | "refuses"> | undefined {
  const certificate = certificates.find(hello.serverName);
  if (certificate === undefined) return undefined;
  const shared = alpn.filter((name) => hello.alpn.includes(name));
  return {
    side: "server",
    tls: tlsOptions(certificate, shared, minVersion, clients),
    refuses: (tls, why) => clients && clientRefused(tls, why, clients),
  };
}
