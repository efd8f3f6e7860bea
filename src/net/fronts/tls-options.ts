import { createSecureContext } from "node:tls";

import type { Socket, TLSOptions } from "bun";

import type { Certificate, Certificates } from "../certificates.ts";

const VERSIONS = { "1.2": 0x0303, "1.3": 0x0304 } as const;
export const ACME_ALPN = "acme-tls/1";

/** The runtime makes one TLS context per options object: the same input must give the same object. */
const made = new WeakMap<Certificate, Map<string, TLSOptions>>();

/** Certificates asked of clients. The same object is the same wish. */
export interface ClientCheck {
  /** PEM: who may have issued them. */
  readonly ca: string;
  /** "optional": who shows none is let in, too; a bad one is refused. */
  readonly verify: "require" | "optional";
}

const checks = new WeakMap<ClientCheck, number>();
let checksMade = 0;

/** Server options for `certificate`, offering `alpn` in our order of preference; none: no ALPN at all. */
export function tlsOptions(
  certificate: Certificate,
  alpn: readonly string[],
  minVersion: Certificates["minVersion"],
  clients?: ClientCheck,
): TLSOptions {
  if (clients !== undefined && !checks.has(clients)) checks.set(clients, ++checksMade);
  const check = clients === undefined ? 0 : checks.get(clients);
  const key = `${minVersion} ${check} ${alpn.join(",")}`;
  const known = made.get(certificate) ?? new Map<string, TLSOptions>();
  made.set(certificate, known);
  let options = known.get(key);
  if (options === undefined) {
    const { cert, key: privateKey } = certificate;
    options = {
      // Clients come back by a ticket (RFC 8446, 2.2) to a context only that is said to be shared.
      // Whose certificates are asked for shows them each time.
      ...(clients ? { cert, key: privateKey } : sharedContext(certificate, minVersion)),
      ...(alpn.length > 0 && { ALPNProtocols: alpnList(alpn) }),
      // Who shows a bad one is found out after the handshake: see `clientRefused`.
      ...(clients && {
        ca: clients.ca,
        requestCert: true,
        rejectUnauthorized: clients.verify === "require",
      }),
      // The types know names only; this call takes the protocol's number.
      minVersion: VERSIONS[minVersion] as unknown as "TLSv1.2",
    } as TLSOptions;
    known.set(key, options);
  }
  return options;
}

function sharedContext(
  { cert, key }: Certificate,
  minVersion: Certificates["minVersion"],
): TLSOptions {
  const { context } = createSecureContext({
    cert,
    key,
    // For a certificate that comes without a chain the runtime looks for one among those it trusts,
    // at every handshake and on disk (/etc/ssl/certs): so it trusts nobody but the certificate itself.
    // Nobody is let in by that: clients are not asked for theirs here.
    ca: cert,
    minVersion: `TLSv${minVersion}`,
  });
  return { secureContext: context } as TLSOptions;
}

/** Why a client that has shaken hands is not let in; undefined when it is. */
export function clientRefused(
  socket: Socket<unknown>,
  why: Error | undefined,
  { verify }: ClientCheck,
): string | undefined {
  if (socket.authorized) return undefined;
  const shown = socket.getPeerCertificate() !== undefined;
  if (!shown) return verify === "optional" ? undefined : "no client certificate";
  return `client certificate: ${why?.message.trim() ?? "refused"}`;
}

/** A ProtocolNameList's entries (RFC 7301, 3.1). */
export function alpnList(names: readonly string[]): Buffer {
  return Buffer.concat(
    names.map((name) => Buffer.from([name.length, ...Buffer.from(name, "latin1")])),
  );
}
