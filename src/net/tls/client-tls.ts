import type { TLSOptions } from "bun";

import { readText } from "../../config/read-text.ts";
import type { BackendTls } from "../../config/tls.ts";

/** How servers are spoken to. */
export interface ClientTls {
  readonly verify: boolean;
  readonly serverName: string | undefined;
  /** PEM: whom to believe when it is not the well-known ones, and what we show. */
  readonly files: { readonly ca?: string; readonly cert?: string; readonly key?: string };
  readonly options: TLSOptions;
}

/** Reads the files that a config names. Throws Error in words for the operator. */
export function clientTls(backend: BackendTls): ClientTls {
  const { verify, server_name: serverName, ca, certificate } = backend;
  const files = {
    ...(ca !== null && { ca: readText(ca) }),
    ...(certificate && { cert: readText(certificate.cert), key: readText(certificate.key) }),
  };
  return {
    verify,
    serverName: serverName ?? undefined,
    files,
    // Whether it is good is decided after the handshake, by name or address.
    options: { rejectUnauthorized: false, ...files },
  };
}
