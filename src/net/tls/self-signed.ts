import { createHash } from "node:crypto";

import type { Certificate } from "../certificates.ts";

const DAY = 86_400_000;
const LIFE_MS = 90 * DAY;

/** id-pe-acmeIdentifier (RFC 8737, 6.1). */
const ACME_IDENTIFIER = "1.3.6.1.5.5.7.1.31";
/** DER: an OCTET STRING of 32 bytes follows. */
const OCTETS_32 = [0x04, 0x20];

/** To answer with until a real certificate is there. `now` is milliseconds since 1970. */
export function placeholder(name: string, now: number): Promise<Certificate> {
  return selfSigned(name, now);
}

/**
 * The answer to a tls-alpn-01 challenge (RFC 8737, 3). Not the library's own: that one's key usage
 * is of a CA, and BoringSSL will not serve it.
 */
export function proofOf(name: string, keyAuthorization: string, now: number): Promise<Certificate> {
  return selfSigned(name, now, createHash("sha256").update(keyAuthorization).digest());
}

async function selfSigned(name: string, now: number, digest?: Uint8Array): Promise<Certificate> {
  // Loaded here and not above: it costs 40 ms that only a machine without a certificate should pay.
  const { Extension, SubjectAlternativeNameExtension, X509CertificateGenerator } =
    await import("@peculiar/x509");
  const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const keys = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const made = await X509CertificateGenerator.createSelfSigned({
    name: "CN=tern self-signed",
    keys,
    signingAlgorithm: algorithm,
    notBefore: new Date(now - DAY),
    notAfter: new Date(now + LIFE_MS),
    extensions: [
      new SubjectAlternativeNameExtension([{ type: "dns", value: name }]),
      ...(digest
        ? [new Extension(ACME_IDENTIFIER, true, Uint8Array.of(...OCTETS_32, ...digest))]
        : []),
    ],
  });
  const der = Buffer.from(await crypto.subtle.exportKey("pkcs8", keys.privateKey));
  const lines = der.toString("base64").match(/.{1,64}/g) ?? [];
  const key = `-----BEGIN PRIVATE KEY-----\n${lines.join("\n")}\n-----END PRIVATE KEY-----\n`;
  return { cert: `${made.toString("pem")}\n`, key, names: [name] };
}
