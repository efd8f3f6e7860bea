import type { Query } from "../../wire/dns/query.ts";
import type { Rr } from "../../wire/dns/rr.ts";
import { CLASS, OPCODE, RCODE, TYPE } from "../../wire/dns/types.ts";
import { FLAG, type MessageWriter, SECTION } from "../../wire/dns/writer.ts";
import type { Allowance } from "./allowance.ts";
import type { Chaos } from "./chaos.ts";
import type { Envelope } from "./envelope.ts";
import { messageCopy } from "./message-copy.ts";
import type { Secondaries } from "./secondary/secondaries.ts";
import type { Signed } from "./signatures.ts";
import type { Traffic } from "./traffic.ts";
import type { Transfers } from "./transfer/transfers.ts";
import { TRANSFER, type Transfer, type Via } from "./via.ts";

/** Whom such questions are for. */
export interface OtherQuestionsParts {
  /** What the server says of itself. */
  readonly chaos: Chaos;
  readonly transfers: Transfers;
  readonly secondaries: Secondaries;
  readonly traffic: Traffic;
  /** Those of the question at hand. */
  readonly allowance: Allowance;
  readonly envelope: Envelope;
}

/** A question for records of class IN, which is most of them. */
export function asksForRecords(query: Query): boolean {
  return (
    query.qclass === CLASS.IN &&
    query.opcode === OPCODE.QUERY &&
    query.qtype !== TYPE.AXFR &&
    query.qtype !== TYPE.IXFR
  );
}

/** What is no question for records: news of zones, transfers, what the server is. No hurry here. */
export class OtherQuestions {
  readonly #query: Query;
  readonly #parts: OtherQuestionsParts;
  #transfer: Transfer | undefined;

  /** `query` is the one that is read, whenever `respond` is called. */
  constructor(query: Query, parts: OtherQuestionsParts) {
    this.#query = query;
    this.#parts = parts;
  }

  /** The transfer that TRANSFER promised. */
  transfer(): Transfer {
    const transfer = this.#transfer;
    if (transfer === undefined) throw new Error("no transfer was promised");
    this.#transfer = undefined;
    return transfer;
  }

  /** As `Responder.respond`. */
  respond(
    bytes: Uint8Array,
    from: number,
    to: number,
    via: Via,
    signed: Signed | undefined,
    into: Uint8Array,
    at: number,
  ): number {
    const { chaos, transfers, envelope } = this.#parts;
    const query = this.#query;
    if (query.opcode === OPCODE.NOTIFY) {
      const rcode = this.#parts.secondaries.notify(query, via, signed);
      if (rcode === RCODE.NOERROR) envelope.remarks.flags = FLAG.AA;
      return envelope.short(rcode, bytes, via, into, at);
    }
    if (query.opcode !== OPCODE.QUERY) return envelope.short(RCODE.NOTIMP, bytes, via, into, at);
    if (query.qclass === CLASS.IN) {
      if (query.qtype === TYPE.IXFR && via.transport === "udp")
        return this.#changes(bytes, via, signed, into, at);
      const begun = transfers.begin(messageCopy(bytes, from, to), query, via, signed);
      if (typeof begun === "number") return envelope.short(begun, bytes, via, into, at);
      this.#transfer = begun;
      this.#parts.traffic.answer(via.transport, RCODE.NOERROR);
      return TRANSFER;
    }
    envelope.begin(bytes, via, into, at);
    if (chaos.answer(query, envelope.writer)) return envelope.written(bytes, via, into, at);
    return envelope.short(RCODE.REFUSED, bytes, via, into, at);
  }

  /** What has changed in a zone, over UDP: all of it or, when there is no room, the SOA (RFC 1995, 2). */
  #changes(
    bytes: Uint8Array,
    via: Via,
    signed: Signed | undefined,
    into: Uint8Array,
    at: number,
  ): number {
    const { transfers, allowance, envelope } = this.#parts;
    const { writer } = envelope;
    const told = transfers.brief(this.#query, via, signed, allowance.most);
    if (typeof told === "number") return envelope.short(told, bytes, via, into, at);
    for (const records of [told.records, [told.soa]]) {
      if (records === undefined) continue;
      envelope.begin(bytes, via, into, at, FLAG.AA);
      writer.exactCase = true;
      const whole = addAll(records, writer);
      writer.exactCase = false;
      if (whole) break;
    }
    return envelope.written(bytes, via, into, at);
  }
}

/** Whether there was room for all of them. */
function addAll(records: Iterable<Rr>, writer: MessageWriter): boolean {
  for (const { name, type, class: klass, ttl, rdata } of records)
    if (!writer.add(SECTION.ANSWER, name, type, klass, ttl, rdata)) return false;
  return true;
}
