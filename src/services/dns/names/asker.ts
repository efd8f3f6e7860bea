import type { Query } from "../../../wire/dns/query.ts";
import type { Via } from "../via.ts";

/** Whom an answer is for: the client's network as its resolver tells it (RFC 7871), or the resolver. */
export class Asker {
  /** 4 or 16 bytes at the start of it. */
  bytes: Uint8Array = new Uint8Array(16);
  length: 4 | 16 = 4;
  /** As many of them are known. */
  bits = 32;
  /** It was the resolver that told. */
  told = false;

  /** `ecs`: believe resolvers. Good until the query or the via is used for the next question. */
  read({ edns }: Query, { client }: Via, ecs: boolean): void {
    // A source of 0 bits asks that the client be left out of it (RFC 7871, 7.1.2).
    this.told = ecs && edns.ecsAt >= 0 && edns.ecsSource > 0;
    this.bytes = this.told ? edns.ecsAddress : client;
    this.length = this.told ? (edns.ecsFamily === 1 ? 4 : 16) : client.length === 4 ? 4 : 16;
    this.bits = this.told ? edns.ecsSource : this.length * 8;
  }
}
