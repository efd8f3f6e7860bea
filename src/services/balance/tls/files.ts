import { readText } from "../../../config/read-text.ts";
import type { Certificates } from "../../../net/certificates.ts";
import { type ClientTls, clientTls } from "../../../net/tls/client-tls.ts";
import type { ServerTls } from "../../../net/tls/server-tls.ts";
import type { ServiceConfig } from "../config.ts";

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
  const { backend_tls: backend } = config;
  return { clients, servers: backend === null ? undefined : clientTls(backend) };
}
