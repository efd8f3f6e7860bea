import { MAX_NAME } from "../../../wire/dns/name.ts";
import { sha1 } from "./sha1.ts";

/** Words of a SHA-1 hash, the only algorithm there is (RFC 5155, 11). */
export const HASH_WORDS = 5;
/** A hash in base32hex, as a label (RFC 5155, 3.3). */
export const HASH_LABEL = 32;
const HASH_BYTES = 20;
const MAX_SALT = 255;
/** `sha1` pads in place. */
const PADDING = 72;

/** The hash of names under the parameters of one NSEC3PARAM (RFC 5155, 5). */
export class Nsec3Hash {
  readonly iterations: number;
  readonly salt: Uint8Array;
  readonly #input = new Uint8Array(MAX_NAME + 2 + MAX_SALT + PADDING);
  /** The hash of the last `of`. */
  readonly words = new Uint32Array(HASH_WORDS);

  /** The rdata of an NSEC3PARAM, or as much of an NSEC3's. */
  constructor(rdata: Uint8Array) {
    this.iterations = ((rdata[2] as number) << 8) | (rdata[3] as number);
    this.salt = rdata.slice(5, 5 + (rdata[4] as number));
  }

  /** Whether an NSEC3, its rdata at `at` of `bytes`, is of these parameters. */
  fits(bytes: Uint8Array, at: number): boolean {
    const iterations = ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number);
    if (bytes[at] !== 1 || iterations !== this.iterations) return false;
    if (bytes[at + 4] !== this.salt.length) return false;
    return this.salt.every((byte, i) => bytes[at + 5 + i] === byte);
  }

  /** Hash the lower-case wire name between `from` and `to` into `words`. */
  of(bytes: Uint8Array, from: number, to: number): void {
    const input = this.#input;
    for (let i = from; i < to; i++) input[i - from] = bytes[i] as number;
    this.#round(to - from);
    for (let i = 0; i < this.iterations; i++) {
      for (let k = 0; k < HASH_BYTES; k++)
        input[k] = (this.words[k >>> 2] as number) >>> (24 - (k & 3) * 8);
      this.#round(HASH_BYTES);
    }
  }

  #round(length: number): void {
    for (let i = 0; i < this.salt.length; i++) this.#input[length + i] = this.salt[i] as number;
    sha1(this.#input, length + this.salt.length, this.words);
  }
}

/** The words of a hash from its label, whose first character is at `at`; false when it is none. */
export function readHash(label: Uint8Array, at: number, into: Uint32Array): boolean {
  into.fill(0);
  for (let i = 0, bit = 0; i < HASH_LABEL; i++, bit += 5) {
    const value = base32hex(label[at + i] as number);
    if (value < 0) return false;
    const word = bit >>> 5;
    const shift = 27 - (bit & 31);
    if (shift >= 0) into[word] = (into[word] as number) | (value << shift);
    else {
      into[word] = (into[word] as number) | (value >>> -shift);
      into[word + 1] = value << (32 + shift);
    }
  }
  return true;
}

function base32hex(char: number): number {
  if (char >= 0x30 && char <= 0x39) return char - 0x30;
  const letter = (char | 0x20) - 0x61;
  return letter >= 0 && letter < 22 ? letter + 10 : -1;
}
