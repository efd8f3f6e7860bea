import type { TLSOptions } from "bun";

import type { Certificate, Certificates } from "../net/certificates.ts";
import { placeholder } from "../net/tls/self-signed.ts";

const VERSIONS = { "1.2": 0x0303, "1.3": 0x0304 } as const;

/** How the admin API speaks TLS: with the first of the config's certificates, else one of its own. */
export class AdminTls {
  readonly #certificates: Certificates;
  #own: Certificate | undefined;
  #made: { readonly certificate: Certificate; readonly options: TLSOptions } | undefined;

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
    let made = this.#made;
    if (made?.certificate !== certificate) {
      const { cert, key } = certificate;
      // The types do not know it; the runtime takes the protocol's number.
      const minVersion = VERSIONS[this.#certificates.minVersion];
      made = this.#made = { certificate, options: { cert, key, minVersion } as TLSOptions };
    }
    return made.options;
  }
}
