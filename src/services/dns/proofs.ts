import type { Certificates } from "../../net/certificates.ts";
import { showName } from "../../wire/dns/name.ts";
import type { Query } from "../../wire/dns/query.ts";
import { CLASS, TYPE } from "../../wire/dns/types.ts";
import { type MessageWriter, QNAME, SECTION } from "../../wire/dns/writer.ts";

/** The label under which CAs look (RFC 8555, 8.4), its length in front. */
const LABEL = new TextEncoder().encode("\x0f_acme-challenge");
/** Seconds: the next proof is another. */
const TTL = 1;

/** What CAs are shown that look in the DNS whether a name is ours (dns-01). */
export class Proofs {
  readonly #certificates: Certificates;

  constructor(certificates: Certificates) {
    this.#certificates = certificates;
  }

  /** The proof that is there now for the name of a question, which is for TXT; undefined: none. */
  find(query: Query): string | undefined {
    const { key, keyLength } = query;
    for (let i = 0; i < LABEL.length; i++) if (key[i] !== LABEL[i]) return undefined;
    return this.#certificates.dnsProof(showName(key.subarray(0, keyLength)).replace(/\.$/, ""));
  }

  /** Write the record; false when it has no room. */
  static write(proof: string, writer: MessageWriter): boolean {
    const text = new TextEncoder().encode(proof); // 43 characters of base64url
    const rdata = Uint8Array.of(text.length, ...text);
    return writer.addAt(SECTION.ANSWER, QNAME, TYPE.TXT, CLASS.IN, TTL, rdata);
  }
}
