import * as v from "valibot";

import { key } from "./key.ts";
import { acmeName, hostName } from "./names.ts";
import { path } from "./places.ts";
import { scalar } from "./scalar.ts";

const LETS_ENCRYPT = "https://acme-v02.api.letsencrypt.org/directory";

const httpsUrl = scalar(`a URL such as "${LETS_ENCRYPT}"`, (text) =>
  /^https?:\/\//.test(text) && URL.canParse(text) ? text : undefined,
);

/** YAML reads `1.2` as a number; both spellings mean the version. */
export const tlsVersion = scalar(
  '"1.2" or "1.3"',
  (text) => (text === "1.2" || text === "1.3" ? text : undefined),
  { enum: ["1.2", "1.3", 1.2, 1.3], description: "Oldest TLS version spoken." },
);

const mailbox = scalar('a mail address such as "ops@example.net"', (text) =>
  /^[^@\s]+@[^@\s]+$/.test(text) ? text : undefined,
);

/** The contract's `tls:`: certificates from files, and from an ACME server. */
export const tls = v.strictObject({
  certificates: v.optional(
    v.pipe(
      v.array(v.strictObject({ cert: path, key: path })),
      v.description("PEM files of chain and key; the first answers unknown names."),
    ),
    [],
  ),
  acme: v.optional(
    v.strictObject({
      directory: v.optional(
        v.pipe(httpsUrl, v.description("Directory of the ACME server (RFC 8555).")),
        LETS_ENCRYPT,
      ),
      email: v.optional(v.pipe(mailbox, v.description("Where the server may write to."))),
      names: v.pipe(
        v.array(acmeName),
        v.minLength(1),
        v.description("Names to get certificates for."),
      ),
      ca: v.optional(
        v.pipe(
          path,
          v.description("Root that the ACME server's own certificate is checked against."),
        ),
      ),
    }),
  ),
  min_version: v.optional(tlsVersion, "1.2"),
});

/** How servers are spoken to that speak TLS. */
export const backendTls = v.strictObject({
  verify: key(v.boolean(), true, "Refuse servers whose certificate is not good for their name."),
  server_name: key(
    v.nullable(hostName),
    null,
    "The name asked for and verified; null: the one that the client asked for, else the server's address.",
  ),
  ca: key(
    v.nullable(path),
    null,
    "PEM file of who issues their certificates; null: the well-known ones.",
  ),
  certificate: key(
    v.nullable(v.strictObject({ cert: path, key: path })),
    null,
    "PEM files of the certificate that servers are shown.",
  ),
});

export type BackendTls = v.InferOutput<typeof backendTls>;

/** Names and files of TLS, for the certificate store. */
export interface TlsConfig {
  readonly certificates: readonly { readonly cert: string; readonly key: string }[];
  readonly acme: AcmeConfig | undefined;
  readonly minVersion: "1.2" | "1.3";
}

export interface AcmeConfig {
  readonly directory: string;
  readonly email: string | undefined;
  readonly names: readonly string[];
  /** PEM file. */
  readonly ca: string | undefined;
}

/** As the program wants it. */
export function tlsConfig(read: v.InferOutput<typeof tls>): TlsConfig {
  const { acme, certificates, min_version: minVersion } = read;
  return {
    certificates,
    acme: acme && { ...acme, email: acme.email, ca: acme.ca },
    minVersion,
  };
}
