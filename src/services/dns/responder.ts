import { EDE } from "../../wire/dns/edns.ts";
import { ANSWER, DROP as SILENCE, HEADER, Query, readQuery } from "../../wire/dns/query.ts";
import { RCODE, TYPE } from "../../wire/dns/types.ts";
import { FLAG } from "../../wire/dns/writer.ts";
import { Allowance, type AllowanceParts } from "./allowance.ts";
import { Answers } from "./answers.ts";
import type { Catalog } from "./catalog.ts";
import { Envelope, type EnvelopeParts } from "./envelope.ts";
import { messageCopy } from "./message-copy.ts";
import type { ComputedNames } from "./names/computed-names.ts";
import { asksForRecords, OtherQuestions, type OtherQuestionsParts } from "./other-questions.ts";
import { Proofs } from "./proofs.ts";
import { extendedError } from "./reply.ts";
import { signWritten } from "./sign-written.ts";
import { appendTsig, type Signatures } from "./signatures.ts";
import type { Source } from "./source.ts";
import type { Tap } from "./tap/tap.ts";
import { HELD } from "./traffic.ts";
import type { Answerer, Transfer, Via } from "./via.ts";
import type { Signer } from "./zone/signing/signer.ts";

/** Bytes that the TSIG of an answer may have more than that of its question: BADTIME's clock, a whole MAC. */
const TSIG_MORE = 6 + 64;
const NOT_OURS = extendedError(EDE.NOT_AUTHORITATIVE, "");

/** What a server answers by. */
export interface ResponderParts
  extends
    Omit<AllowanceParts, "cookieKey">,
    Omit<EnvelopeParts, "allowance">,
    Omit<OtherQuestionsParts, "allowance" | "envelope"> {
  readonly catalog: Catalog<Source>;
  /** Answer before the catalog does; undefined: there are none. */
  readonly names: ComputedNames | undefined;
  /** Answer before everything else. */
  readonly proofs: Proofs;
  /** Told of every question and answer but those of transfers; undefined: nobody wants to know. */
  readonly tap: Tap | undefined;
  /** Bytes for answers kept ready. */
  readonly cache: number;
  /** That of the catalog: nobody outside knows it. */
  readonly seed: number;
  readonly signatures: Signatures;
  /** Told of what should not have happened. */
  readonly fault: (error: unknown) => void;
}

/** Questions in, answers out: a plain function of bytes, which allocates nothing for the usual ones. */
export class Responder implements Answerer {
  readonly #parts: ResponderParts;
  readonly #tap: Tap | undefined;
  readonly #answers: Answers;
  readonly #query: Query;
  readonly #allowance: Allowance;
  readonly #envelope: Envelope;
  readonly #others: OtherQuestions;

  constructor(parts: ResponderParts) {
    this.#parts = parts;
    this.#tap = parts.tap;
    this.#answers = new Answers(parts.cache);
    const query = (this.#query = new Query(parts.seed));
    const { cookieKey } = parts.rules;
    const allowance = (this.#allowance = new Allowance(query, { ...parts, cookieKey }));
    const envelope = (this.#envelope = new Envelope(query, { ...parts, allowance }));
    this.#others = new OtherQuestions(query, { ...parts, allowance, envelope });
  }

  /** A zone of the catalog is another now. */
  forget(): void {
    this.#answers.clear();
  }

  transfer(): Transfer {
    return this.#others.transfer();
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
      const length = this.#respond(bytes, from, to, via, into, at);
      if (this.#tap !== undefined) this.#tap.note(bytes, from, to, via, into, at, length);
      return length;
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
    const remarks = this.#envelope.remarks;
    remarks.flags = remarks.rcode = remarks.scope = 0;
    remarks.ede = undefined;
    this.#allowance.measure(to - from, via);
    if (query.tsigAt >= 0) return this.#signed(verdict, bytes, from, to, via, into, at);
    if (verdict !== ANSWER) return this.#envelope.short(verdict, bytes, via, into, at);
    if (asksForRecords(query)) return this.#answer(bytes, via, into, at);
    return this.#others.respond(bytes, from, to, via, undefined, into, at);
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
    const message = messageCopy(bytes, from, to);
    const signed = this.#parts.signatures.open(message, query.tsigAt - from, seconds);
    const room = to - query.tsigAt + TSIG_MORE;
    this.#allowance.reserve(room);
    if (!signed.ok || verdict !== ANSWER) {
      const rcode = signed.ok ? verdict : signed.rcode;
      const length = this.#envelope.short(rcode, bytes, via, into, at);
      if (length === 0) return 0;
      const answer = into.slice(at, at + length);
      const record = signed.ok ? signed.signer.sign(answer, seconds) : signed.record(answer);
      return appendTsig(record, into, at, length);
    }
    const length = asksForRecords(query)
      ? this.#answer(bytes, via, into, at)
      : this.#others.respond(bytes, from, to, via, signed, into, at);
    if (length <= 0) return length;
    const record = signed.signer.sign(into.slice(at, at + length), seconds);
    return appendTsig(record, into, at, length);
  }

  /** A question for records. */
  #answer(bytes: Uint8Array, via: Via, into: Uint8Array, at: number): number {
    const { catalog } = this.#parts;
    const query = this.#query;
    const remarks = this.#envelope.remarks;
    if (query.qtype === TYPE.TXT) {
      const proof = this.#parts.proofs.find(query);
      if (proof !== undefined && catalog.find(query) !== undefined)
        return this.#proof(proof, bytes, via, into, at);
    }
    const known = this.#answers.find(query);
    if (known !== undefined) {
      remarks.rcode = known.rcode;
      if (known.authoritative) remarks.flags = FLAG.AA;
      return this.#envelope.send(known, query.hash, bytes, via, into, at);
    }
    const { names } = this.#parts;
    if (names !== undefined) {
      const name = names.find(query);
      const signer = this.#signer(query);
      const ready = name && signer === undefined ? names.ready(name, query, via) : undefined;
      if (ready !== undefined) {
        remarks.scope = names.scope;
        remarks.flags = FLAG.AA;
        return this.#envelope.send(ready, query.hash, bytes, via, into, at);
      }
      this.#envelope.begin(bytes, via, into, at);
      if (names.answer(query, via, this.#envelope.writer, name))
        return this.#computed(names, bytes, via, into, at);
    }
    const source = catalog.responsible(query);
    if (source === undefined) {
      if (names?.answerAround(query, this.#envelope.writer))
        return this.#envelope.written(bytes, via, into, at);
      remarks.ede = NOT_OURS;
      return this.#envelope.short(RCODE.REFUSED, bytes, via, into, at);
    }
    const tail = source.answer(bytes, query, via, remarks);
    if (tail === undefined) return this.#envelope.short(RCODE.SERVFAIL, bytes, via, into, at);
    if (source.exact && source.lasting) this.#answers.add(query, tail);
    // A name with a computed one below it is there, if only for that (RFC 8020, 2).
    if (!source.exact && names?.answerAbove(query, this.#envelope.writer))
      return this.#computed(names, bytes, via, into, at);
    remarks.rcode = tail.rcode;
    remarks.flags = tail.authoritative ? FLAG.AA : 0;
    return this.#envelope.send(
      tail,
      source.exact ? query.hash : source.id ^ tail.rcode,
      bytes,
      via,
      into,
      at,
    );
  }

  /** Who signs, as they are asked, answers around this question, when they are to be signed. */
  #signer(query: Query): Signer | undefined {
    return query.edns.do ? this.#parts.catalog.find(query)?.signer : undefined;
  }

  /** An answer for a CA. */
  #proof(proof: string, bytes: Uint8Array, via: Via, into: Uint8Array, at: number): number {
    const { writer } = this.#envelope;
    const begin = (): void => this.#envelope.begin(bytes, via, into, at, FLAG.AA);
    begin();
    Proofs.write(proof, writer);
    const signer = this.#signer(this.#query);
    if (signer !== undefined) signWritten(writer, this.#query, [TYPE.TXT], signer, begin);
    return this.#envelope.written(bytes, via, into, at);
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
    this.#envelope.remarks.scope = names.scope;
    const signer = this.#signer(query);
    if (signer !== undefined) {
      const begin = (): void => this.#envelope.begin(bytes, via, into, at);
      signWritten(this.#envelope.writer, query, names.typesOf(query), signer, begin);
    }
    return this.#envelope.written(bytes, via, into, at);
  }
}
