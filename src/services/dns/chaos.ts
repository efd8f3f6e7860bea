import { nameKey, parseName } from "../../wire/dns/name.ts";
import type { Query } from "../../wire/dns/query.ts";
import { CLASS, TYPE } from "../../wire/dns/types.ts";
import { type MessageWriter, QNAME, SECTION } from "../../wire/dns/writer.ts";

const VERSION = ["version.bind.", "version.server."];
const ID = ["id.server.", "hostname.bind."];

/** What the server says of itself in class CH (RFC 4892), to those who are told: by default nobody. */
export class Chaos {
  /** Rdata of TXT by name. */
  readonly #texts = new Map<string, Uint8Array>();

  constructor({ version, id }: { readonly version: string | null; readonly id: string | null }) {
    for (const [names, text] of [
      [VERSION, version],
      [ID, id],
    ] as const) {
      if (text === null) continue;
      const bytes = new TextEncoder().encode(text);
      for (const name of names)
        this.#texts.set(
          nameKey(parseName(name) as Uint8Array),
          Uint8Array.of(bytes.length, ...bytes),
        ); // names of ours
    }
  }

  /** Write the answer to a question of class CH; false when there is none. */
  answer(query: Query, writer: MessageWriter): boolean {
    if (query.qclass !== CLASS.CH || (query.qtype !== TYPE.TXT && query.qtype !== TYPE.ANY))
      return false;
    const text = this.#texts.get(nameKey(query.key.subarray(0, query.keyLength)));
    return text !== undefined && writer.addAt(SECTION.ANSWER, QNAME, TYPE.TXT, CLASS.CH, 0, text);
  }
}
