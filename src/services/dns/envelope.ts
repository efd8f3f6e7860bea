import { COOKIE_ONLY, HEADER, type Query } from "../../wire/dns/query.ts";
import { RCODE } from "../../wire/dns/types.ts";
import { FLAG, MessageWriter } from "../../wire/dns/writer.ts";
import type { Allowance } from "./allowance.ts";
import { type Remarks, type ReplyRules, ReplyWriter } from "./reply.ts";
import { DROP, SLIP } from "./rrl.ts";
import { Tail } from "./tail.ts";
import { HELD, type Traffic } from "./traffic.ts";
import type { Via } from "./via.ts";

/** TC in the third byte of a message. */
const TC_BYTE = FLAG.TC >>> 8;
/** The tail of an answer without records. */
const NOTHING = new Tail();

export interface EnvelopeParts {
  readonly rules: ReplyRules;
  readonly allowance: Allowance;
  readonly traffic: Traffic;
  /** Told of each question and what came of it; undefined: nobody wants to know. */
  readonly log: ((query: Query, via: Via, rcode: number, bytes: number) => void) | undefined;
}

/**
 * What is around the records of every answer: header, question and OPT, and the limits to its
 * length. The records are a tail made before, or written one by one between `begin` and `written`.
 */
export class Envelope {
  readonly #parts: EnvelopeParts;
  readonly #query: Query;
  readonly #reply: ReplyWriter;
  readonly writer = new MessageWriter();
  /** What is to be said of the answer; to be filled before it is sent. */
  readonly remarks: Remarks = { flags: 0, rcode: 0, scope: 0, ede: undefined };

  constructor(query: Query, parts: EnvelopeParts) {
    this.#query = query;
    this.#parts = parts;
    this.#reply = new ReplyWriter(parts.rules);
  }

  /** An answer without records: an rcode, or only a cookie. */
  short(verdict: number, bytes: Uint8Array, via: Via, into: Uint8Array, at: number): number {
    const { remarks } = this;
    remarks.rcode = verdict === COOKIE_ONLY ? RCODE.NOERROR : verdict;
    if (verdict === RCODE.FORMERR) this.#parts.traffic.held(HELD.malformed);
    return this.send(NOTHING, remarks.rcode, bytes, via, into, at);
  }

  /** An answer of records made before; `what` tells kinds of answers apart. */
  send(
    tail: Tail,
    what: number,
    bytes: Uint8Array,
    via: Via,
    into: Uint8Array,
    at: number,
  ): number {
    const limited = this.#parts.allowance.limited(what, bytes, via);
    return limited === DROP ? 0 : this.#frame(tail, limited === SLIP, bytes, via, into, at);
  }

  /** Begin an answer that is written record by record. */
  begin(bytes: Uint8Array, via: Via, into: Uint8Array, at: number, flags = 0): void {
    const opt = this.#reply.optLength(this.#query, via, this.remarks);
    const end = at + this.#parts.allowance.most - opt;
    this.writer.begin(into, at, end, bytes, this.#query, flags);
  }

  /** End the answer that was written record by record. */
  written(bytes: Uint8Array, via: Via, into: Uint8Array, at: number): number {
    const query = this.#query;
    const { remarks } = this;
    const { allowance, traffic } = this.#parts;
    const limited = allowance.limited(query.hash, bytes, via);
    if (limited === DROP) return 0;
    if (limited === SLIP) return this.#frame(NOTHING, true, bytes, via, into, at);
    let end = at + this.writer.end();
    remarks.rcode = (into[at + 3] as number) & 15;
    const opt = this.#reply.optLength(query, via, remarks);
    if (!allowance.fits(end - at + opt, bytes, via)) {
      remarks.rcode = RCODE.NOERROR;
      return this.#frame(NOTHING, true, bytes, via, into, at);
    }
    if ((into[at + 2] as number) & TC_BYTE) traffic.truncated();
    if (query.edns.present) {
      end = this.#reply.opt(bytes, query, via, remarks, into, at, end, at + allowance.most);
      const count = (((into[at + 10] as number) << 8) | (into[at + 11] as number)) + 1;
      into[at + 10] = count >>> 8;
      into[at + 11] = count;
    }
    return this.#sent(via, end - at);
  }

  /** `cut`: say only that there is more by TCP. */
  #frame(
    tail: Tail,
    cut: boolean,
    bytes: Uint8Array,
    via: Via,
    into: Uint8Array,
    at: number,
  ): number {
    const query = this.#query;
    const { remarks } = this;
    const reply = this.#reply;
    const { allowance, traffic } = this.#parts;
    const opt = reply.optLength(query, via, remarks);
    const question = query.questionEnd === 0 ? 0 : query.questionEnd - query.qnameStart;
    const frame = HEADER + question + opt;
    let { length, answers, authorities, additionals } = tail;
    if (cut || !allowance.fits(frame + tail.requiredLength, bytes, via)) {
      // No half of an RRset, and none of several (RFC 2181, 9): the client asks by TCP.
      length = answers = authorities = additionals = 0;
      remarks.flags |= FLAG.TC;
      traffic.truncated();
    } else if (length > tail.requiredLength && !allowance.fits(frame + length, bytes, via)) {
      length = tail.requiredLength;
      additionals = tail.requiredAdditionals;
    }
    let end = reply.head(bytes, query, remarks, answers, authorities, additionals, into, at);
    if (length > 0) end = tail.copy(into, end, length);
    end = reply.opt(bytes, query, via, remarks, into, at, end, at + allowance.most);
    return this.#sent(via, end - at);
  }

  #sent(via: Via, length: number): number {
    const { traffic, log } = this.#parts;
    const { rcode } = this.remarks;
    traffic.answer(via.transport, rcode);
    if (log !== undefined) log(this.#query, via, rcode, length);
    return length;
  }
}
