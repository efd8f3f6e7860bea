import {
  BasicConstraintsExtension,
  type Extension,
  SubjectAlternativeNameExtension,
  X509Certificate,
  X509CertificateGenerator,
} from "@peculiar/x509";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const DAY = 86_400_000;

/** PEM. */
export interface Made {
  readonly cert: string;
  readonly key: string;
}

export interface Wish {
  readonly names?: readonly string[];
  /** A common name, for certificates of the old kind. */
  readonly common?: string;
  /** Days from now. */
  readonly from?: number;
  readonly to?: number;
  /** Signs itself when there is none. */
  readonly issuer?: Made;
  readonly authority?: boolean;
}

/** A certificate as a test wants it. */
export async function certificate(wish: Wish): Promise<Made> {
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
  const extensions: Extension[] = [];
  if (wish.names)
    extensions.push(
      new SubjectAlternativeNameExtension(
        wish.names.map((value) => ({ type: kindOf(value), value })),
      ),
    );
  if (wish.authority) extensions.push(new BasicConstraintsExtension(true));
  const signer = wish.issuer
    ? {
        issuer: new X509Certificate(wish.issuer.cert).subject,
        signingKey: await crypto.subtle.importKey("pkcs8", der(wish.issuer.key), ALGORITHM, true, [
          "sign",
        ]),
      }
    : { issuer: subject(wish), signingKey: keys.privateKey };
  const made = await X509CertificateGenerator.create({
    subject: subject(wish),
    publicKey: keys.publicKey,
    signingAlgorithm: ALGORITHM,
    notBefore: new Date(Date.now() + (wish.from ?? -1) * DAY),
    notAfter: new Date(Date.now() + (wish.to ?? 90) * DAY),
    extensions,
    ...signer,
  });
  return {
    cert: `${made.toString("pem")}\n`,
    key: pem(await crypto.subtle.exportKey("pkcs8", keys.privateKey)),
  };
}

function kindOf(name: string): "ip" | "dns" {
  return /^[\d.]+$/.test(name) ? "ip" : "dns";
}

function subject(wish: Wish): string {
  return wish.common === undefined ? "O=tern tests" : `CN=${wish.common}`;
}

function pem(key: ArrayBuffer): string {
  const lines =
    Buffer.from(key)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN PRIVATE KEY-----\n${lines.join("\n")}\n-----END PRIVATE KEY-----\n`;
}

function der(key: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.fromBase64(key.replace(/-----[^-]+-----|\s/g, ""));
}
