import type { TLSOptions } from "bun";

import type { Certificate, Certificates } from "../net/certificates.ts";
import { tlsOptions } from "../net/fronts/tls-options.ts";
import { placeholder } from "../net/tls/self-signed.ts";

/** How the admin API speaks TLS: with the first of the config's certificates, else one of its own. */
export class AdminTls {
  readonly #certificates: Certificates;
  #own: Certificate | undefined;

  constructor(certificates: Certificates) {
    this.#certificates = certificates;
  }

  /**
   * Make the certificate of its own: even if the config has others now, the next may have none.
   * Resolves before `options` may be asked.
   */
  async prepare(): Promise<void> {
    this.#own ??= await placeholder("localhost", Date.now());
  }

  /** The same object for as long as it is the same certificate. */
  get options(): TLSOptions {
    const certificate = this.#certificates.find(undefined) ?? this.#own;
    if (certificate === undefined) throw new Error("asked for TLS before it was prepared");
    return tlsOptions(certificate, [], this.#certificates.minVersion);
  }
}
