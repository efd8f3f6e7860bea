import { sameName } from "../../wire/dns/name.ts";
import {
  BADSIG,
  parseTsig,
  tsigError,
  type TsigKey,
  TsigSigner,
  tsigTime,
  TsigVerifier,
} from "../../wire/dns/tsig.ts";
import { RCODE } from "../../wire/dns/types.ts";

/** A signed question that is in order: the answer is signed with the same key. */
export interface Signed {
  readonly ok: true;
  readonly key: TsigKey;
  readonly signer: TsigSigner;
}

/** One that is not: the rcode to answer with, and the record that says why, if there can be one. */
export interface Unsigned {
  readonly ok: false;
  readonly rcode: number;
  /** The TSIG record for the answer `message`. */
  record(message: Uint8Array): Uint8Array;
}

/** Judges questions that are signed (RFC 8945, 5.2). */
export class Signatures {
  readonly #keys: readonly TsigKey[];

  constructor(keys: readonly TsigKey[]) {
    this.#keys = keys;
  }

  /** `message` is whole, and its TSIG record begins at `at`; `seconds` since 1970. */
  open(message: Uint8Array, at: number, seconds: number): Signed | Unsigned {
    const tsig = parseTsig(message, at);
    if (tsig === undefined)
      return { ok: false, rcode: RCODE.FORMERR, record: () => new Uint8Array() };
    const key = this.#keys.find(({ name }) => sameName(name, tsig.name));
    if (key === undefined)
      return { ok: false, rcode: RCODE.NOTAUTH, record: () => tsigError(tsig, RCODE.BADKEY) };
    const verdict = new TsigVerifier(key).verify(message, tsig, at, seconds);
    if (verdict === "good") return { ok: true, key, signer: new TsigSigner(key, tsig.mac) };
    if (verdict === RCODE.FORMERR)
      return { ok: false, rcode: RCODE.FORMERR, record: () => new Uint8Array() };
    if (verdict === BADSIG || verdict === RCODE.BADKEY)
      return { ok: false, rcode: RCODE.NOTAUTH, record: () => tsigError(tsig, verdict) };
    // The signature was good: the answer is signed, and BADTIME says what time it is here (5.2.3).
    return {
      ok: false,
      rcode: RCODE.NOTAUTH,
      record: (answer) =>
        new TsigSigner(key, tsig.mac).sign(
          answer,
          verdict === RCODE.BADTIME ? tsig.time : seconds,
          verdict,
          verdict === RCODE.BADTIME ? tsigTime(seconds) : undefined,
        ),
    };
  }
}

/** Put a TSIG record behind the message of `length` bytes at `at`; the length it then has. */
export function appendTsig(
  record: Uint8Array,
  into: Uint8Array,
  at: number,
  length: number,
): number {
  if (record.length === 0) return length;
  into.set(record, at + length);
  const count = (((into[at + 10] as number) << 8) | (into[at + 11] as number)) + 1;
  into[at + 10] = count >>> 8;
  into[at + 11] = count;
  return length + record.length;
}
