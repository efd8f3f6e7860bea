/** PEM text of a chain and its key. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
  /** Lower-case DNS names it is for, `*.` wildcards included. */
  readonly names: readonly string[];
}

/** Which certificate answers for a name. Changes under running listeners (reload, ACME). */
export interface Certificates {
  /** For the SNI name, lower case; the first one when nothing matches or the client sent none. */
  find(name: string | undefined): Certificate | undefined;
  /** All of them, the default first. The same object as long as it is the same certificate. */
  all(): readonly Certificate[];
  /** The self-signed answer to a tls-alpn-01 challenge for `name` (RFC 8737). */
  challenge(name: string): Certificate | undefined;
  /** What `/.well-known/acme-challenge/TOKEN` answers (RFC 8555, 8.3). */
  keyAuthorization(token: string): string | undefined;
  /** What TXT at `name` (lower case, no dot at its end) says to a CA that asks (RFC 8555, 8.4). */
  dnsProof(name: string): string | undefined;
  readonly minVersion: "1.2" | "1.3";
  /** Goes up whenever an answer may have changed. */
  readonly version: number;
}

export const noCertificates: Certificates = {
  find: () => undefined,
  all: () => [],
  challenge: () => undefined,
  keyAuthorization: () => undefined,
  dnsProof: () => undefined,
  minVersion: "1.2",
  version: 0,
};
