import { Copier } from "../../sys/copier.ts";
/** Writes the frame of an answer around its tail: header, the question as it came, OPT. */
import { FULL_COOKIE, writeCookie } from "../../wire/dns/cookie.ts";
import { COMPACT_OK, DNSSEC_OK, OPT_LENGTH, OPTION, PAD_ANSWER } from "../../wire/dns/edns.ts";
import { HEADER, type Query } from "../../wire/dns/query.ts";
import { TYPE } from "../../wire/dns/types.ts";
import { FLAG } from "../../wire/dns/writer.ts";
import type { Via } from "./via.ts";

/** Of the query's second header word: opcode, RD and CD come back. */
const KEPT = 0x7800 | FLAG.RD | FLAG.CD;
/** Code and length in front of each option. */
const OPTION_HEAD = 4;
const KEEPALIVE_LENGTH = 2;
/** Units of the keepalive option (RFC 7828, 3.1). Milliseconds. */
const KEEPALIVE_UNIT_MS = 100;

/** An extended error (RFC 8914): its code and words for people, in UTF-8. */
export interface ExtendedError {
  readonly code: number;
  readonly text: Uint8Array;
}

export function extendedError(code: number, text: string): ExtendedError {
  return { code, text: new TextEncoder().encode(text) };
}

export interface ReplyRules {
  /** What OPT says we take over UDP. */
  readonly udpSize: number;
  /** This server's name; undefined: none is told. */
  readonly nsid: Uint8Array | undefined;
  /** The key of server cookies; undefined: there are none. */
  readonly cookieKey: Uint32Array | undefined;
  /** Whether client subnets are given back with a scope. */
  readonly ecs: boolean;
  /** How long a connection may be idle, in milliseconds. */
  readonly idle: number;
}

/** What an answer has besides records. Used again for each. */
export interface Remarks {
  /** Header flags besides QR and those that come back. */
  flags: number;
  /** All twelve bits of it. */
  rcode: number;
  /** Bits of the client's address that the answer holds for. */
  scope: number;
  ede: ExtendedError | undefined;
}

const copier = new Copier();

export class ReplyWriter {
  readonly #rules: ReplyRules;

  constructor(rules: ReplyRules) {
    this.#rules = rules;
  }

  /** Bytes of the OPT record, without padding; 0 when the query has none. */
  optLength({ edns }: Query, via: Via, { ede }: Remarks): number {
    if (!edns.present) return 0;
    const { nsid, cookieKey, ecs } = this.#rules;
    let length = OPT_LENGTH;
    if (edns.nsid && nsid !== undefined) length += OPTION_HEAD + nsid.length;
    if (edns.cookieAt >= 0 && cookieKey !== undefined) length += OPTION_HEAD + FULL_COOKIE;
    if (edns.ecsAt >= 0 && ecs) length += OPTION_HEAD + edns.ecsLength;
    if (edns.keepalive && isStream(via)) length += OPTION_HEAD + KEEPALIVE_LENGTH;
    if (ede !== undefined) length += OPTION_HEAD + 2 + ede.text.length;
    return length;
  }

  /**
   * Header and question; where the tail goes. Counts are those of its sections; OPT, which comes
   * behind it, is counted here.
   */
  head(
    bytes: Uint8Array,
    query: Query,
    remarks: Remarks,
    answers: number,
    authorities: number,
    additionals: number,
    into: Uint8Array,
    at: number,
  ): number {
    const { qnameStart, questionEnd } = query;
    // The id and, right behind the header, the question come back as they are.
    const end = questionEnd === 0 ? qnameStart : questionEnd;
    copier.copy(bytes, qnameStart - HEADER, into, at, HEADER + end - qnameStart);
    put16(into, at + 2, FLAG.QR | (query.flags & KEPT) | remarks.flags | (remarks.rcode & 15));
    put16(into, at + 4, questionEnd === 0 ? 0 : 1);
    put16(into, at + 6, answers);
    put16(into, at + 8, authorities);
    put16(into, at + 10, query.edns.present ? additionals + 1 : additionals);
    return at + HEADER + end - qnameStart;
  }

  /** OPT with all that was asked for; where it ends. The message began at `start`, and has room up to `end`. */
  opt(
    bytes: Uint8Array,
    query: Query,
    via: Via,
    remarks: Remarks,
    into: Uint8Array,
    start: number,
    at: number,
    end: number,
  ): number {
    const { edns } = query;
    if (!edns.present) return at;
    const { nsid, cookieKey, ecs, udpSize, idle } = this.#rules;
    into[at] = 0;
    put16(into, at + 1, TYPE.OPT);
    put16(into, at + 3, udpSize);
    into[at + 5] = remarks.rcode >>> 4;
    into[at + 6] = 0;
    put16(into, at + 7, (edns.do ? DNSSEC_OK : 0) | (edns.compact ? COMPACT_OK : 0));
    let to = at + OPT_LENGTH;
    if (edns.nsid && nsid !== undefined) {
      to = option(into, to, OPTION.NSID, nsid.length);
      into.set(nsid, to);
      to += nsid.length;
    }
    if (edns.cookieAt >= 0 && cookieKey !== undefined) {
      to = option(into, to, OPTION.COOKIE, FULL_COOKIE);
      const seconds = Math.floor(via.wall / 1000);
      writeCookie(cookieKey, bytes, edns.cookieAt, via.client, seconds, into, to);
      to += FULL_COOKIE;
    }
    if (edns.ecsAt >= 0 && ecs) {
      to = option(into, to, OPTION.ECS, edns.ecsLength);
      for (let i = 0; i < edns.ecsLength; i++) into[to + i] = bytes[edns.ecsAt + i] as number;
      into[to + 3] = edns.ecsSource === 0 ? 0 : remarks.scope; // RFC 7871, 7.2.1
      to += edns.ecsLength;
    }
    if (edns.keepalive && isStream(via)) {
      to = option(into, to, OPTION.KEEPALIVE, KEEPALIVE_LENGTH);
      put16(into, to, Math.min(0xffff, Math.floor(idle / KEEPALIVE_UNIT_MS)));
      to += KEEPALIVE_LENGTH;
    }
    const { ede } = remarks;
    if (ede !== undefined) {
      to = option(into, to, OPTION.EDE, 2 + ede.text.length);
      put16(into, to, ede.code);
      into.set(ede.text, to + 2);
      to += 2 + ede.text.length;
    }
    if (edns.padding && isSecret(via)) to = padded(into, start, to, end);
    put16(into, at + 9, to - at - OPT_LENGTH);
    return to;
  }
}

function isStream({ transport }: Via): boolean {
  return transport === "tcp" || transport === "tls";
}

/** Padding hides nothing where everything can be read. */
function isSecret({ transport }: Via): boolean {
  return transport === "tls" || transport === "https";
}

/** Zeros up to the next multiple of the block (RFC 8467, 4.1), as far as there is room. */
function padded(into: Uint8Array, start: number, at: number, end: number): number {
  if (at + OPTION_HEAD > end) return at;
  const length = at + OPTION_HEAD - start;
  const to = Math.min(start + Math.ceil(length / PAD_ANSWER) * PAD_ANSWER, end);
  const from = option(into, at, OPTION.PADDING, to - at - OPTION_HEAD);
  into.fill(0, from, to);
  return to;
}

function option(into: Uint8Array, at: number, code: number, length: number): number {
  put16(into, at, code);
  put16(into, at + 2, length);
  return at + OPTION_HEAD;
}

function put16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8;
  bytes[at + 1] = value;
}
