/** The secondary's side of a zone transfer: messages in, a whole zone or what has changed in it out. */
import { decodeMessage, type Message } from "../../../wire/dns/message.ts";
import { isUnder, sameName, showName } from "../../../wire/dns/name.ts";
import { canonicalRdata } from "../../../wire/dns/rdata/canonical.ts";
import type { Rr } from "../../../wire/dns/rr.ts";
import type { TsigVerifier } from "../../../wire/dns/tsig.ts";
import { CLASS, OPCODE, RCODE, showRcode, showType, TYPE } from "../../../wire/dns/types.ts";
import { FLAG } from "../../../wire/dns/writer.ts";
import { RecordPacker } from "../transfer/packed-records.ts";
import { isNewer, soaNumbers } from "./soa.ts";
import { checkSignature } from "./tsig-check.ts";

/** From one serial to the next (RFC 1995, 4). */
export interface Step {
  readonly from: number;
  readonly to: number;
  /** Both begin with the SOA. */
  readonly removed: readonly Rr[];
  readonly added: readonly Rr[];
}

/** What a transfer came to. `refused`: nothing of it may be used. */
export type Outcome =
  /** The primary has nothing newer. */
  | { readonly kind: "current" }
  /** All records, packed, the SOA the first of them and nowhere else. */
  | { readonly kind: "full"; readonly packed: Uint8Array }
  | { readonly kind: "steps"; readonly steps: readonly Step[] }
  | { readonly kind: "refused"; readonly why: string };

/** What was asked for. */
export interface TransferQuestion {
  readonly origin: Uint8Array;
  readonly type: typeof TYPE.AXFR | typeof TYPE.IXFR;
  readonly id: number;
  /** The serial we have, which an IXFR has told. */
  readonly serial: number | undefined;
  /** Judges the signatures; undefined when the question had none. */
  readonly verifier: TsigVerifier | undefined;
  /** Since 1970. */
  readonly seconds: () => number;
  /** Bytes of records, names whole, that there may be. */
  readonly mostBytes: number;
}

/** What a record takes besides its owner and rdata. */
const RECORD_BYTES = 10;
/** RFC 2181, 8: above it a TTL means 0. */
const MAX_TTL = 0x7fff_ffff;
/** Types from here to ANY are questions and such, never data (RFC 6895, 3.1). */
const FIRST_META = 128;

/**
 * Reads the messages of one transfer, AXFR (RFC 5936, 2.2) or IXFR (RFC 1995, 4), one by one. A
 * zone comes out only when it was whole: begun and ended by the same SOA, every message in order,
 * every record of the zone, the last message signed when the question was.
 */
export class TransferReader {
  readonly #question: TransferQuestion;
  #outcome: Outcome | undefined;
  #first = true;
  #soa: Rr | undefined;
  #mode: "unknown" | "full" | "removing" | "adding" = "unknown";
  #complete = false;
  #bytes = 0;
  readonly #packer = new RecordPacker();
  readonly #steps: Step[] = [];
  #removed: Rr[] = [];
  #added: Rr[] = [];

  constructor(question: TransferQuestion) {
    this.#question = question;
  }

  /** Read the next message; undefined while there have to be more. Never throws. */
  read(bytes: Uint8Array): Outcome | undefined {
    return (this.#outcome ??= this.#read(bytes));
  }

  #read(bytes: Uint8Array): Outcome | undefined {
    const message = decodeMessage(bytes);
    if (message === undefined) return refused("what came is no DNS message");
    const wrong = this.#frame(message) ?? this.#signature(bytes);
    if (wrong !== undefined) return refused(wrong);
    this.#first = false;
    for (const record of message.answers) {
      const why = this.#complete ? "there are records behind the end" : this.#take(record);
      if (why !== undefined) return refused(why);
    }
    if (!this.#complete) return undefined;
    if (this.#question.verifier?.signed === false) return refused("its end is not signed");
    return this.#result();
  }

  #result(): Outcome {
    if (this.#mode === "full") return { kind: "full", packed: this.#packer.finish() };
    if (this.#steps.length > 0) return { kind: "steps", steps: this.#steps };
    return { kind: "current" };
  }

  /** What is wrong with everything but the records. */
  #frame(message: Message): string | undefined {
    const { id, type, origin } = this.#question;
    if (message.id !== id || !(message.flags & FLAG.QR) || message.opcode !== OPCODE.QUERY)
      return "what came is no answer to the question";
    if (message.rcode !== RCODE.NOERROR) return `it says ${showRcode(message.rcode)}`;
    if (message.flags & FLAG.TC) return "the answer is cut off";
    const [asked, ...more] = message.questions;
    // RFC 5936, 2.2.1: the first message has it, the others may.
    if (asked === undefined) return this.#first ? "the answer is without its question" : undefined;
    const same = asked.type === type && asked.class === CLASS.IN && sameName(asked.name, origin);
    return same && more.length === 0 ? undefined : "the answer is to another question";
  }

  #signature(bytes: Uint8Array): string | undefined {
    const { verifier, seconds } = this.#question;
    return verifier && checkSignature(bytes, verifier, seconds());
  }

  /** What is wrong with the next record. */
  #take(record: Rr): string | undefined {
    const { origin, mostBytes } = this.#question;
    const { name, type, rdata } = record;
    if (record.class !== CLASS.IN) return `${showName(name)} is not of class IN`;
    if (!isUnder(name, origin)) return `${showName(name)} is not in the zone`;
    if (isMeta(type)) return `${showName(name)} ${showType(type)} is no data`;
    this.#bytes += name.length + RECORD_BYTES + rdata.length;
    if (this.#bytes > mostBytes) return `the zone is larger than ${mostBytes} bytes`;
    const kept = record.ttl > MAX_TTL ? { ...record, ttl: 0 } : record;

    if (type !== TYPE.SOA) return this.#data(kept);
    if (!sameName(name, origin)) return `${showName(name)} SOA is not at the top of the zone`;
    return this.#border(kept);
  }

  #data(record: Rr): string | undefined {
    if (this.#soa === undefined) return "it does not begin with the SOA";
    switch (this.#mode) {
      case "unknown":
        this.#mode = "full"; // RFC 1995, 4: a server may always answer with the whole zone
        this.#packer.add(this.#soa);
        this.#packer.add(record);
        return undefined;
      case "full":
        this.#packer.add(record);
        return undefined;
      case "removing":
        this.#removed.push(record);
        return undefined;
      case "adding":
        this.#added.push(record);
        return undefined;
    }
  }

  /** An SOA: the first record, the last one, or where a difference changes its direction. */
  #border(record: Rr): string | undefined {
    const { serial: ours, type } = this.#question;
    const { serial } = soaNumbers(record.rdata);
    if (this.#soa === undefined) {
      this.#soa = record;
      if (type === TYPE.IXFR && ours !== undefined && !isNewer(serial, ours)) this.#complete = true;
      return undefined;
    }
    const last = soaNumbers(this.#soa.rdata).serial;
    switch (this.#mode) {
      case "full":
        return this.#end(record);
      case "unknown":
        if (type !== TYPE.IXFR) return "there is nothing between its SOAs";
        if (serial !== ours) return "the difference is not from the serial we have";
        this.#mode = "removing";
        this.#removed = [record];
        return undefined;
      case "removing": {
        const from = serialOf(this.#removed);
        if (!isNewer(serial, from) || isNewer(serial, last))
          return "the serials of the difference are out of order";
        this.#mode = "adding";
        this.#added = [record];
        return undefined;
      }
      case "adding": {
        const from = serialOf(this.#removed);
        const to = serialOf(this.#added);
        if (serial !== to) return "there is a gap between two differences";
        this.#steps.push({ from, to, removed: this.#removed, added: this.#added });
        if (to === last) return this.#end(record);
        this.#mode = "removing";
        this.#removed = [record];
        return undefined;
      }
    }
  }

  #end(record: Rr): string | undefined {
    const first = canonicalRdata(TYPE.SOA, (this.#soa as Rr).rdata); // there is one: it has begun
    if (Buffer.compare(first, canonicalRdata(TYPE.SOA, record.rdata)) !== 0)
      return "it does not end with the SOA it began with";
    this.#complete = true;
    return undefined;
  }
}

function serialOf([soa]: readonly Rr[]): number {
  return soa === undefined ? 0 : soaNumbers(soa.rdata).serial; // both lists begin with it
}

function isMeta(type: number): boolean {
  return type === 0 || type === TYPE.OPT || (type >= FIRST_META && type <= TYPE.ANY);
}

function refused(why: string): Outcome {
  return { kind: "refused", why };
}
