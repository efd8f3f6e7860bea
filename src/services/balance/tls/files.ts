import type { TLSOptions } from "bun";

import { readText } from "../../../config/read-text.ts";
import type { Certificates } from "../../../net/certificates.ts";
import type { ServerTls } from "../../../net/tls/server-tls.ts";
import type { ServiceConfig } from "../config.ts";

/** How servers are spoken to. */
export interface ClientTls {
  readonly verify: boolean;
  readonly serverName: string | undefined;
  readonly options: TLSOptions;
}

/** TLS towards the clients and towards the servers. Throws Error when a file cannot be read. */
export interface TlsParts {
  readonly clients: ServerTls | undefined;
  readonly servers: ClientTls | undefined;
}

/** Reads the files that a service names. Throws Error in words for the operator. */
export function tlsParts(config: ServiceConfig, certificates: Certificates): TlsParts {
  const { tls, alpn, min_version: minVersion, client_ca: ca, client_verify: verify } = config;
  const clients: ServerTls | undefined =
    tls === "terminate"
      ? {
          certificates,
          alpn,
          ...(minVersion !== null && { minVersion }),
          ...(ca !== null && { clients: { ca: readText(ca), verify } }),
        }
      : undefined;
  return { clients, servers: serversTls(config) };
}

function serversTls({ backend_tls: backend }: ServiceConfig): ClientTls | undefined {
  if (backend === null) return undefined;
  const { verify, server_name: serverName, ca, certificate } = backend;
  return {
    verify,
    serverName: serverName ?? undefined,
    options: {
      // Whether it is good is decided after the handshake, by name or address.
      rejectUnauthorized: false,
      ...(ca !== null && { ca: readText(ca) }),
      ...(certificate && { cert: readText(certificate.cert), key: readText(certificate.key) }),
    },
  };
}
