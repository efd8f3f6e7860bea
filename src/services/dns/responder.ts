import { checkCookie } from "../../wire/dns/cookie.ts";
import { EDE, MIN_UDP_SIZE } from "../../wire/dns/edns.ts";
import {
  ANSWER,
  COOKIE_ONLY,
  DROP as SILENCE,
  HEADER,
  Query,
  readQuery,
} from "../../wire/dns/query.ts";
import { CLASS, OPCODE, RCODE, TYPE } from "../../wire/dns/types.ts";
import { FLAG, MessageWriter } from "../../wire/dns/writer.ts";
import { Answers } from "./answers.ts";
import type { Catalog } from "./catalog.ts";
import type { Chaos } from "./chaos.ts";
import type { ComputedNames } from "./names/computed-names.ts";
import { extendedError, type Remarks, type ReplyRules, ReplyWriter } from "./reply.ts";
import { DROP, PASS, type ResponseLimiter, SLIP } from "./rrl.ts";
import type { Secondaries } from "./secondary/secondaries.ts";
import { signWritten } from "./sign-written.ts";
import { appendTsig, type Signatures, type Signed } from "./signatures.ts";
import type { Source } from "./source.ts";
import { Tail } from "./tail.ts";
import { HELD, type Traffic } from "./traffic.ts";
import type { Transfers } from "./transfers.ts";
import type { VerifiedClients } from "./verified.ts";
import { type Answerer, TRANSFER, type Transfer, type Via } from "./via.ts";

/** IP and UDP headers, which a forger's packet has as well as ours. */
const V4_HEADERS = 28;
const V6_HEADERS = 48;

/** Bytes that the TSIG of an answer may have more than that of its question: BADTIME's clock, a whole MAC. */
const TSIG_MORE = 6 + 64;
/** TC in the third byte of a message. */
const TC_BYTE = FLAG.TC >>> 8;

/** The tail of an answer without records. */
const NOTHING = new Tail();
const NOT_OURS = extendedError(EDE.NOT_AUTHORITATIVE, "");

/** What a server answers by. */
export interface ResponderParts {
  readonly catalog: Catalog<Source>;
  /** Answer before the catalog does; undefined: there are none. */
  readonly names: ComputedNames | undefined;
  /** Bytes for answers kept ready. */
  readonly cache: number;
  /** That of the catalog: nobody outside knows it. */
  readonly seed: number;
  readonly rules: ReplyRules;
  /** Largest answer over UDP. */
  readonly udpSize: number;
  /** How many times a question an answer may be for clients who have not shown who they are; 0: any. */
  readonly amplification: number;
  readonly limiter: ResponseLimiter | undefined;
  /** Clients the limiter does not know. */
  readonly exempt: (client: Uint8Array) => boolean;
  readonly verified: VerifiedClients;
  readonly traffic: Traffic;
  /** Told of each question and what came of it; undefined: nobody wants to know. */
  readonly log: ((query: Query, via: Via, rcode: number, bytes: number) => void) | undefined;
  /** What the server says of itself. */
  readonly chaos: Chaos;
  readonly signatures: Signatures;
  readonly transfers: Transfers;
  readonly secondaries: Secondaries;
  /** Told of what should not have happened. */
  readonly fault: (error: unknown) => void;
}

/** Questions in, answers out: a plain function of bytes, which allocates nothing for the usual ones. */
export class Responder implements Answerer {
  readonly #parts: ResponderParts;
  readonly #reply: ReplyWriter;
  readonly #answers: Answers;
  readonly #query: Query;
  readonly #writer = new MessageWriter();
  #transfer: Transfer | undefined;
  /** Bytes the answer may have. */
  #most = 0;
  /** Of these, for a client that may be anybody. */
  #modest = 0;
  readonly #remarks: Remarks = { flags: 0, rcode: 0, scope: 0, ede: undefined };

  constructor(parts: ResponderParts) {
    this.#parts = parts;
    this.#reply = new ReplyWriter(parts.rules);
    this.#answers = new Answers(parts.cache);
    this.#query = new Query(parts.seed);
  }

  /** A zone of the catalog is another now. */
  forget(): void {
    this.#answers.clear();
  }

  transfer(): Transfer {
    const transfer = this.#transfer;
    if (transfer === undefined) throw new Error("no transfer was promised");
    this.#transfer = undefined;
    return transfer;
  }

  respond(
    bytes: Uint8Array,
    from: number,
    to: number,
    via: Via,
    into: Uint8Array,
    at: number,
  ): number {
    try {
      return this.#respond(bytes, from, to, via, into, at);
    } catch (error) {
      // A fault of ours costs this question and no other.
      this.#parts.fault(error);
      into.fill(0, at, at + HEADER);
      into[at] = bytes[from] as number;
      into[at + 1] = bytes[from + 1] as number;
      into[at + 2] = FLAG.QR >>> 8;
      into[at + 3] = RCODE.SERVFAIL;
      return HEADER;
    }
  }

  #respond(
    bytes: Uint8Array,
    from: number,
    to: number,
    via: Via,
    into: Uint8Array,
    at: number,
  ): number {
    const { traffic } = this.#parts;
    const query = this.#query;
    const verdict = readQuery(bytes, from, to, query);
    if (verdict === SILENCE) {
      traffic.held(HELD.malformed);
      return 0;
    }
    traffic.question(query.qtype);
    const remarks = this.#remarks;
    remarks.flags = remarks.rcode = remarks.scope = 0;
    remarks.ede = undefined;
    this.#room(to - from, via);
    if (query.tsigAt >= 0) return this.#signed(verdict, bytes, from, to, via, into, at);
    if (verdict !== ANSWER) return this.#short(verdict, bytes, via, into, at);
    if (
      query.qclass === CLASS.IN &&
      query.opcode === OPCODE.QUERY &&
      query.qtype !== TYPE.AXFR &&
      query.qtype !== TYPE.IXFR
    )
      return this.#answer(bytes, via, into, at);
    return this.#other(bytes, from, to, via, undefined, into, at);
  }

  /** A signed question: its answer is signed, too (RFC 8945, 5.3). */
  #signed(
    verdict: number,
    bytes: Uint8Array,
    from: number,
    to: number,
    via: Via,
    into: Uint8Array,
    at: number,
  ): number {
    const query = this.#query;
    const seconds = Math.floor(via.wall / 1000);
    const message = bytes.slice(from, to);
    const signed = this.#parts.signatures.open(message, query.tsigAt - from, seconds);
    const room = to - query.tsigAt + TSIG_MORE;
    this.#most -= room;
    this.#modest -= room;
    if (!signed.ok || verdict !== ANSWER) {
      const rcode = signed.ok ? verdict : signed.rcode;
      const length = this.#short(rcode, bytes, via, into, at);
      if (length === 0) return 0;
      const answer = into.slice(at, at + length);
      const record = signed.ok ? signed.signer.sign(answer, seconds) : signed.record(answer);
      return appendTsig(record, into, at, length);
    }
    const length =
      query.qclass === CLASS.IN &&
      query.opcode === OPCODE.QUERY &&
      query.qtype !== TYPE.AXFR &&
      query.qtype !== TYPE.IXFR
        ? this.#answer(bytes, via, into, at)
        : this.#other(bytes, from, to, via, signed, into, at);
    if (length <= 0) return length;
    const record = signed.signer.sign(into.slice(at, at + length), seconds);
    return appendTsig(record, into, at, length);
  }

  /** What is no question for records of class IN: no hurry here. */
  #other(
    bytes: Uint8Array,
    from: number,
    to: number,
    via: Via,
    signed: Signed | undefined,
    into: Uint8Array,
    at: number,
  ): number {
    const { chaos, transfers } = this.#parts;
    const query = this.#query;
    if (query.opcode === OPCODE.NOTIFY) {
      const rcode = this.#parts.secondaries.notify(query, via, signed);
      if (rcode === RCODE.NOERROR) this.#remarks.flags = FLAG.AA;
      return this.#short(rcode, bytes, via, into, at);
    }
    if (query.opcode !== OPCODE.QUERY) return this.#short(RCODE.NOTIMP, bytes, via, into, at);
    if (query.qclass === CLASS.IN) {
      const begun = transfers.begin(bytes.slice(from, to), query, via, signed);
      if (typeof begun === "number") return this.#short(begun, bytes, via, into, at);
      this.#transfer = begun;
      this.#parts.traffic.answer(via.transport, RCODE.NOERROR);
      return TRANSFER;
    }
    this.#begin(bytes, via, into, at);
    if (chaos.answer(query, this.#writer)) return this.#written(bytes, via, into, at);
    return this.#short(RCODE.REFUSED, bytes, via, into, at);
  }

  /** A question for records. */
  #answer(bytes: Uint8Array, via: Via, into: Uint8Array, at: number): number {
    const { catalog } = this.#parts;
    const query = this.#query;
    const remarks = this.#remarks;
    const known = this.#answers.find(query);
    if (known !== undefined) {
      remarks.rcode = known.rcode;
      if (known.authoritative) remarks.flags = FLAG.AA;
      return this.#send(known, query.hash, bytes, via, into, at);
    }
    const { names } = this.#parts;
    if (names !== undefined) {
      this.#begin(bytes, via, into, at);
      if (names.answer(query, via, this.#writer))
        return this.#computed(names, bytes, via, into, at);
    }
    const source = catalog.responsible(query);
    if (source === undefined) {
      if (names?.answerAround(query, this.#writer)) return this.#written(bytes, via, into, at);
      remarks.ede = NOT_OURS;
      return this.#short(RCODE.REFUSED, bytes, via, into, at);
    }
    const tail = source.answer(bytes, query, via, remarks);
    if (tail === undefined) return this.#short(RCODE.SERVFAIL, bytes, via, into, at);
    if (source.exact && source.lasting) this.#answers.add(query, tail);
    // A name with a computed one below it is there, if only for that (RFC 8020, 2).
    if (!source.exact && names?.answerAbove(query, this.#writer))
      return this.#computed(names, bytes, via, into, at);
    remarks.rcode = tail.rcode;
    remarks.flags = tail.authoritative ? FLAG.AA : 0;
    return this.#send(
      tail,
      source.exact ? query.hash : source.id ^ tail.rcode,
      bytes,
      via,
      into,
      at,
    );
  }

  /** End an answer that was computed: signed, where the zone around it is signed as it is asked. */
  #computed(
    names: ComputedNames,
    bytes: Uint8Array,
    via: Via,
    into: Uint8Array,
    at: number,
  ): number {
    const query = this.#query;
    this.#remarks.scope = names.scope;
    const signer = query.edns.do ? this.#parts.catalog.find(query)?.signer : undefined;
    if (signer !== undefined) {
      const begin = (): void => this.#begin(bytes, via, into, at);
      signWritten(this.#writer, query, names.typesOf(query), signer, begin);
    }
    return this.#written(bytes, via, into, at);
  }

  /** An answer without records: an rcode, or only a cookie. `#room` must be known. */
  #short(verdict: number, bytes: Uint8Array, via: Via, into: Uint8Array, at: number): number {
    const remarks = this.#remarks;
    remarks.rcode = verdict === COOKIE_ONLY ? RCODE.NOERROR : verdict;
    if (verdict === RCODE.FORMERR) this.#parts.traffic.held(HELD.malformed);
    return this.#send(NOTHING, remarks.rcode, bytes, via, into, at);
  }

  /** How long the answer may be, and how long for a client that may be anybody. */
  #room(size: number, via: Via): void {
    const { udpSize, amplification, verified } = this.#parts;
    const { edns } = this.#query;
    this.#most = this.#modest = via.room;
    if (via.transport !== "udp") return verified.add(via.client, via.now);
    const taken = edns.present ? Math.min(edns.udpSize, udpSize) : MIN_UDP_SIZE;
    if (taken < this.#most) this.#most = this.#modest = taken;
    if (amplification === 0) return;
    const headers = via.client.length === 4 ? V4_HEADERS : V6_HEADERS;
    const modest = Math.floor((size + headers) * amplification) - headers;
    if (modest < this.#modest) this.#modest = modest;
  }

  /** Whether an answer of `length` bytes may go: asked last, since to know the client takes a while. */
  #fits(length: number, bytes: Uint8Array, via: Via): boolean {
    if (length <= this.#modest) return true;
    return length <= this.#most && this.#verified(bytes, via);
  }

  /** What the limiter says to an answer of the kind `what`. */
  #limited(what: number, bytes: Uint8Array, via: Via): number {
    const { limiter, exempt, traffic } = this.#parts;
    if (limiter === undefined || via.transport !== "udp") return PASS;
    if (exempt(via.client) || this.#verified(bytes, via)) return PASS;
    const passed = limiter.check(via.client, what, via.now);
    if (passed !== PASS) traffic.held(passed === DROP ? HELD.dropped : HELD.slipped);
    return passed;
  }

  /** Put the frame around a tail, within all limits; `what` tells kinds of answers apart. */
  #send(
    tail: Tail,
    what: number,
    bytes: Uint8Array,
    via: Via,
    into: Uint8Array,
    at: number,
  ): number {
    const limited = this.#limited(what, bytes, via);
    return limited === DROP ? 0 : this.#frame(tail, limited === SLIP, bytes, via, into, at);
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
    const remarks = this.#remarks;
    const reply = this.#reply;
    const opt = reply.optLength(query, via, remarks);
    const question = query.questionEnd === 0 ? 0 : query.questionEnd - query.qnameStart;
    const frame = HEADER + question + opt;
    let { length, answers, authorities, additionals } = tail;
    if (cut || !this.#fits(frame + tail.requiredLength, bytes, via)) {
      // No half of an RRset, and none of several (RFC 2181, 9): the client asks by TCP.
      length = answers = authorities = additionals = 0;
      remarks.flags |= FLAG.TC;
      this.#parts.traffic.truncated();
    } else if (length > tail.requiredLength && !this.#fits(frame + length, bytes, via)) {
      length = tail.requiredLength;
      additionals = tail.requiredAdditionals;
    }
    let end = reply.head(bytes, query, remarks, answers, authorities, additionals, into, at);
    if (length > 0) end = tail.copy(into, end, length);
    end = reply.opt(bytes, query, via, remarks, into, at, end, at + this.#most);
    return this.#sent(via, end - at);
  }

  /** Begin an answer that is written record by record. */
  #begin(bytes: Uint8Array, via: Via, into: Uint8Array, at: number): void {
    const opt = this.#reply.optLength(this.#query, via, this.#remarks);
    this.#writer.begin(into, at, at + this.#most - opt, bytes, this.#query, 0);
  }

  /** End the answer that was written record by record. */
  #written(bytes: Uint8Array, via: Via, into: Uint8Array, at: number): number {
    const query = this.#query;
    const remarks = this.#remarks;
    const limited = this.#limited(query.hash, bytes, via);
    if (limited === DROP) return 0;
    if (limited === SLIP) return this.#frame(NOTHING, true, bytes, via, into, at);
    let end = at + this.#writer.end();
    remarks.rcode = (into[at + 3] as number) & 15;
    const opt = this.#reply.optLength(query, via, remarks);
    if (!this.#fits(end - at + opt, bytes, via)) {
      remarks.rcode = RCODE.NOERROR;
      return this.#frame(NOTHING, true, bytes, via, into, at);
    }
    if ((into[at + 2] as number) & TC_BYTE) this.#parts.traffic.truncated();
    if (query.edns.present) {
      end = this.#reply.opt(bytes, query, via, remarks, into, at, end, at + this.#most);
      const count = (((into[at + 10] as number) << 8) | (into[at + 11] as number)) + 1;
      into[at + 10] = count >>> 8;
      into[at + 11] = count;
    }
    return this.#sent(via, end - at);
  }

  #sent(via: Via, length: number): number {
    const { traffic, log } = this.#parts;
    const { rcode } = this.#remarks;
    traffic.answer(via.transport, rcode);
    if (log !== undefined) log(this.#query, via, rcode, length);
    return length;
  }

  /** Has this client of UDP shown who it is: by our cookie, or lately by a handshake? */
  #verified(bytes: Uint8Array, { client, now, wall }: Via): boolean {
    const { cookieKey } = this.#parts.rules;
    const { cookieAt, cookieLength } = this.#query.edns;
    if (cookieKey !== undefined && cookieAt >= 0) {
      const seconds = Math.floor(wall / 1000);
      const state = checkCookie(cookieKey, bytes, cookieAt, cookieLength, client, seconds);
      if (state !== "bad") return true;
    }
    return this.#parts.verified.has(client, now);
  }
}
