import type { TLSOptions } from "bun";

import type { Certificate, Certificates } from "../certificates.ts";

const VERSIONS = { "1.2": 0x0303, "1.3": 0x0304 } as const;
export const ACME_ALPN = "acme-tls/1";

/** The runtime makes one TLS context per options object: the same input must give the same object. */
const made = new WeakMap<Certificate, Map<string, TLSOptions>>();

/** Server options for `certificate`, offering `alpn` in our order of preference. */
export function tlsOptions(
  certificate: Certificate,
  alpn: readonly string[],
  minVersion: Certificates["minVersion"],
): TLSOptions {
  const key = `${minVersion} ${alpn.join(",")}`;
  const known = made.get(certificate) ?? new Map<string, TLSOptions>();
  made.set(certificate, known);
  let options = known.get(key);
  if (options === undefined) {
    const { cert, key: privateKey } = certificate;
    options = {
      cert,
      key: privateKey,
      ALPNProtocols: wireAlpn(alpn),
      // The types know names only; this call takes the protocol's number.
      minVersion: VERSIONS[minVersion] as unknown as "TLSv1.2",
    } as TLSOptions;
    known.set(key, options);
  }
  return options;
}

/** A ProtocolNameList's entries (RFC 7301, 3.1). */
function wireAlpn(names: readonly string[]): Buffer {
  return Buffer.concat(
    names.map((name) => Buffer.from([name.length, ...Buffer.from(name, "latin1")])),
  );
}
