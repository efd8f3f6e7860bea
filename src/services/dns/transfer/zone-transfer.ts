import type { Query } from "../../../wire/dns/query.ts";
import type { Rr } from "../../../wire/dns/rr.ts";
import type { TsigSigner } from "../../../wire/dns/tsig.ts";
import { FLAG, MessageWriter, SECTION } from "../../../wire/dns/writer.ts";
import { appendTsig } from "../signatures.ts";
import type { Transfer } from "../via.ts";

/** Compression points into the first 16 KB of a message; longer ones are not shorter in sum. */
const MESSAGE = 16 * 1024;
/** Room for a TSIG with the longest name and MAC. */
const TSIG_ROOM = 400;
/** The longest record there can be, with its owner: a message of its own. */
const MOST = 0xffff;

export interface TransferParts {
  /** In the order of RFC 5936, 2.2 or RFC 1995, 4; of a zone as it is now, whatever comes after. */
  readonly records: Iterator<Rr>;
  /** The question, and what was read from it: this transfer's own. */
  readonly message: Uint8Array;
  readonly query: Query;
  readonly signer: TsigSigner | undefined;
  /** Since 1970. */
  readonly seconds: () => number;
}

/** Records on their way over a stream, in as many messages as it takes. */
export class ZoneTransfer implements Transfer {
  readonly #parts: TransferParts;
  readonly #writer = new MessageWriter();
  #next: Rr | undefined;
  #first = true;

  constructor(parts: TransferParts) {
    this.#parts = parts;
    this.#next = this.#take();
    this.#writer.exactCase = true;
  }

  next(into: Uint8Array, at: number): number {
    if (this.#next === undefined) return 0;
    const { message, query, signer, seconds } = this.#parts;
    const writer = this.#writer;
    const most = at + (signer ? MOST - TSIG_ROOM : MOST);
    if (this.#first) writer.begin(into, at, most, message, query, FLAG.AA);
    else writer.beginMessage(into, at, most, query.id, FLAG.QR | FLAG.AA);
    this.#first = false;
    while (this.#next !== undefined && writer.at - at < MESSAGE) {
      const { name, type, class: klass, ttl, rdata } = this.#next;
      if (!writer.add(SECTION.ANSWER, name, type, klass, ttl, rdata)) break;
      this.#next = this.#take();
    }
    const length = writer.end();
    if (signer === undefined) return length;
    const record = signer.sign(into.slice(at, at + length), seconds());
    return appendTsig(record, into, at, length);
  }

  #take(): Rr | undefined {
    const { value, done } = this.#parts.records.next();
    return done ? undefined : value;
  }
}
