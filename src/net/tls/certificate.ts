import { createPrivateKey, X509Certificate } from "node:crypto";

import type { Certificate } from "../certificates.ts";

/** A certificate with its key and its time. */
export interface Pair {
  readonly certificate: Certificate;
  /** Milliseconds since 1970. */
  readonly notBefore: number;
  readonly notAfter: number;
}

/** A certificate or key that cannot be served; the message says which and why. */
export class CertificateError extends Error {
  override readonly name = "CertificateError";
}

/**
 * Read a chain (leaf first) and the leaf's key, both PEM. Throws CertificateError when they are
 * not readable, not of each other, or for no name.
 */
export function readPair(cert: string, key: string): Pair {
  const leaf = certainly("not a PEM certificate", () => new X509Certificate(cert));
  const privateKey = certainly("not an unencrypted PEM private key", () => createPrivateKey(key));
  if (!leaf.checkPrivateKey(privateKey))
    throw new CertificateError("the key is not that of the first certificate in the file");
  const names = namesOf(leaf);
  if (names.length === 0) throw new CertificateError("the certificate is for no name");
  return {
    certificate: { cert, key, names },
    notBefore: Date.parse(leaf.validFrom),
    notAfter: Date.parse(leaf.validTo),
  };
}

/** DNS names of the subjectAltName; the common name only when there is none (RFC 6125, 6.4.4). */
function namesOf(leaf: X509Certificate): string[] {
  const alternatives = (leaf.subjectAltName ?? "").split(", ");
  const names = alternatives.flatMap((a) => /^(?:DNS|IP Address):(.+)$/.exec(a)?.[1] ?? []);
  const common = /^CN\s?=\s?(.+)$/m.exec(leaf.subject)?.[1];
  return (names.length > 0 || common === undefined ? names : [common]).map((n) => n.toLowerCase());
}

function certainly<T>(otherwise: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new CertificateError(otherwise, { cause });
  }
}
