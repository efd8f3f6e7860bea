/** Transaction signatures (RFC 8945): both sides of one message, and of a transfer of many. */
import { createHmac, timingSafeEqual } from "node:crypto";

import { lower, nameLength, parseName, readName, ROOT, sameName } from "./name.ts";
import { HEADER } from "./query.ts";
import { CLASS, RCODE, TYPE } from "./types.ts";

/** Algorithms by the name that zone keys are made with (RFC 8945, 6); MD5 is not among them. */
export const TSIG_ALGORITHMS = {
  "hmac-sha1": "sha1",
  "hmac-sha224": "sha224",
  "hmac-sha256": "sha256",
  "hmac-sha384": "sha384",
  "hmac-sha512": "sha512",
} as const;
export type TsigAlgorithm = keyof typeof TSIG_ALGORITHMS;

export interface TsigKey {
  /** Wire form. */
  readonly name: Uint8Array;
  readonly algorithm: TsigAlgorithm;
  readonly secret: Uint8Array;
}

/** A TSIG record as it came (4.2). */
export interface Tsig {
  readonly name: Uint8Array;
  readonly algorithm: Uint8Array;
  /** Seconds since 1970: 48 bits. */
  readonly time: number;
  readonly fudge: number;
  readonly mac: Uint8Array;
  readonly originalId: number;
  /** An rcode, 0 when all is well. */
  readonly error: number;
  readonly other: Uint8Array;
}

/** "good", or the rcode of the TSIG that answers: BADKEY, BADSIG, BADTIME, BADTRUNC; FORMERR for the message. */
export type TsigVerdict = "good" | number;

/** BADSIG shares its number with BADVERS. */
export const BADSIG = 16;
/** Seconds that two clocks may be apart (10). */
const FUDGE_S = 300;
/** A MAC may be cut to half of it, and to no less than this (5.2.2.1). */
const LEAST_MAC = 10;
/** Messages of a transfer that may go unsigned between two that are (5.3.1). */
const MOST_UNSIGNED = 99;

/** The key of `name` (as people write it); undefined for an algorithm that is not one of ours. */
export function tsigKey(name: string, algorithm: string, secret: Uint8Array): TsigKey | undefined {
  const wire = parseName(name);
  const known = algorithm.toLowerCase().replace(/\.$/, "");
  if (wire === undefined || !Object.hasOwn(TSIG_ALGORITHMS, known)) return undefined;
  return { name: wire, algorithm: known as TsigAlgorithm, secret };
}

/** The TSIG record that is the last of `message` and begins at `at`; undefined when malformed. */
export function parseTsig(message: Uint8Array, at: number): Tsig | undefined {
  const to = message.length;
  const owner = readName(message, at);
  if (owner === undefined || owner.next + 10 > to) return undefined;
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
  const fixed = owner.next;
  const start = fixed + 10;
  const end = start + view.getUint16(fixed + 8);
  const good =
    view.getUint16(fixed) === TYPE.TSIG &&
    view.getUint16(fixed + 2) === CLASS.ANY &&
    view.getUint32(fixed + 4) === 0 &&
    end === to;
  const algorithm = good ? nameLength(message, start, end) : -1;
  if (algorithm < 0) return undefined;
  const fields = start + algorithm;
  if (fields + 10 > end) return undefined;
  const mac = fields + 10;
  const rest = mac + view.getUint16(fields + 8);
  if (rest + 6 > end) return undefined;
  const other = rest + 6;
  if (other + view.getUint16(rest + 4) !== end) return undefined;
  return {
    name: owner.name,
    algorithm: message.slice(start, fields),
    time: view.getUint16(fields) * 2 ** 32 + view.getUint32(fields + 2),
    fudge: view.getUint16(fields + 6),
    mac: message.slice(mac, rest),
    originalId: view.getUint16(rest),
    error: view.getUint16(rest + 2),
    other: message.slice(other, end),
  };
}

/** Signs the messages of one side of a conversation, one after the other. */
export class TsigSigner {
  readonly #key: TsigKey;
  /** What the next signature covers besides its own message: the MAC before it. */
  #prior: Uint8Array | undefined;
  /** Whether it is a later message of an answer, which covers the times only (5.3.1). */
  #later = false;

  /** `request`: the MAC of the request, for the one who answers it (5.3). */
  constructor(key: TsigKey, request?: Uint8Array) {
    this.#key = key;
    this.#prior = request;
  }

  /**
   * The TSIG record for a complete `message`, to be its last. `error` is BADTIME's, with our time
   * in `other` and the request's as `seconds` (5.2.3).
   */
  sign(
    message: Uint8Array,
    seconds: number,
    error = 0,
    other: Uint8Array = new Uint8Array(),
  ): Uint8Array {
    const id = ((message[0] as number) << 8) | (message[1] as number);
    const fields = { time: seconds, fudge: FUDGE_S, error, other };
    const variables = this.#later ? timers(fields) : variablesOf(this.#key, fields);
    const mac = macOf(this.#key, [this.#prior && prefixed(this.#prior), message, variables]);
    this.#prior = mac;
    this.#later = true;
    return emitTsig({
      name: this.#key.name,
      algorithm: algorithmName(this.#key),
      ...fields,
      mac,
      originalId: id,
    });
  }

  /** The MAC of the last message: what its answer covers. */
  get mac(): Uint8Array {
    return this.#prior ?? new Uint8Array();
  }
}

/** Verifies the messages of the other side, one after the other. */
export class TsigVerifier {
  readonly #key: TsigKey;
  #prior: Uint8Array | undefined;
  #later = false;
  /** Unsigned messages of a transfer since the last signature. */
  #unsigned: Uint8Array[] = [];

  /** `request`: the MAC of our request, for the one who reads answers. */
  constructor(key: TsigKey, request?: Uint8Array) {
    this.#key = key;
    this.#prior = request;
  }

  /**
   * Judge a whole `message` with its `tsig` (from `parseTsig`), whose record begins at `at`;
   * undefined for a message without one, which only a later one of a transfer may be.
   */
  verify(message: Uint8Array, tsig: Tsig | undefined, at: number, seconds: number): TsigVerdict {
    if (tsig === undefined) {
      this.#unsigned.push(message.slice());
      return this.#later && this.#unsigned.length <= MOST_UNSIGNED ? "good" : RCODE.FORMERR;
    }
    const key = this.#key;
    if (!sameName(tsig.name, key.name) || !sameName(tsig.algorithm, algorithmName(key)))
      return RCODE.BADKEY;

    const variables = this.#later ? timers(tsig) : variablesOf(key, tsig);
    const prior = this.#prior && prefixed(this.#prior);
    const mac = macOf(key, [prior, ...this.#unsigned, unsigned(message, tsig, at), variables]);
    const given = tsig.mac.length;
    if (given > mac.length || given < Math.max(LEAST_MAC, mac.length / 2)) return RCODE.FORMERR;
    if (!timingSafeEqual(tsig.mac, mac.subarray(0, given))) return BADSIG;
    this.#prior = tsig.mac;
    this.#later = true;
    this.#unsigned = [];
    // Times only count when the signature is good (5.2.3); cut ones are not to our liking (5.2.4).
    if (Math.abs(seconds - tsig.time) > tsig.fudge) return RCODE.BADTIME;
    return given < mac.length ? RCODE.BADTRUNC : "good";
  }

  /** Whether the last message that was given had a signature: a transfer must end so (5.3.1). */
  get signed(): boolean {
    return this.#later && this.#unsigned.length === 0;
  }
}

/** The record that says why a request was not accepted, unsigned (5.3.2). */
export function tsigError(request: Tsig, error: number): Uint8Array {
  return emitTsig({ ...request, mac: new Uint8Array(), error, other: new Uint8Array() });
}

/** `seconds` in the six bytes of a TSIG's time, as BADTIME's `other` has it (5.2.3). */
export function tsigTime(seconds: number): Uint8Array {
  const bytes = new Uint8Array(6);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, Math.floor(seconds / 2 ** 32));
  view.setUint32(2, seconds % 2 ** 32);
  return bytes;
}

function algorithmName(key: TsigKey): Uint8Array {
  return parseName(key.algorithm) ?? ROOT;
}

/** The message as it was before it was signed: its own ID, one record less, nothing behind (4.3.2). */
function unsigned(message: Uint8Array, tsig: Tsig, at: number): Uint8Array {
  const bytes = message.slice(0, at);
  if (at < HEADER) return bytes;
  const view = new DataView(bytes.buffer);
  view.setUint16(0, tsig.originalId);
  view.setUint16(10, view.getUint16(10) - 1);
  return bytes;
}

type Fields = Pick<Tsig, "time" | "fudge" | "error" | "other">;

/** 4.3.3: names in lower case. */
function variablesOf(key: TsigKey, fields: Fields): Uint8Array {
  return joined([
    lower(key.name),
    Uint8Array.of(0, CLASS.ANY, 0, 0, 0, 0),
    algorithmName(key),
    timers(fields),
    words(fields.error, fields.other.length),
    fields.other,
  ]);
}

function timers(fields: Fields): Uint8Array {
  return joined([tsigTime(fields.time), words(fields.fudge)]);
}

function prefixed(mac: Uint8Array): Uint8Array {
  return joined([words(mac.length), mac]);
}

function macOf(key: TsigKey, parts: readonly (Uint8Array | undefined)[]): Uint8Array {
  const hmac = createHmac(TSIG_ALGORITHMS[key.algorithm], key.secret);
  for (const part of parts) if (part !== undefined) hmac.update(part);
  return new Uint8Array(hmac.digest());
}

function emitTsig(tsig: Tsig): Uint8Array {
  const rdata = joined([
    tsig.algorithm,
    timers(tsig),
    words(tsig.mac.length),
    tsig.mac,
    words(tsig.originalId, tsig.error, tsig.other.length),
    tsig.other,
  ]);
  const head = words(TYPE.TSIG, CLASS.ANY, 0, 0, rdata.length);
  return joined([tsig.name, head, rdata]);
}

function words(...values: readonly number[]): Uint8Array {
  return Uint8Array.from(values.flatMap((value) => [value >>> 8, value & 0xff]));
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
