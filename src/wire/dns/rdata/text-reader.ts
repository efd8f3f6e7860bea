/** Reads the words of a record's text, field by field, into wire form. */
import { typeAt } from "../mnemonic.ts";
import { MAX_NAME, packName, unescape } from "../name.ts";
import { Misread, type Words } from "../words.ts";

/** Longest rdata: its length has 16 bits. */
const MAX_RDATA = 0xffff;
const MAX_STRING = 255;

/** A word that follows must be something; throws `Misread` when it is not. */
export class TextReader {
  words: Words;
  /** The next word. */
  at = 0;
  /** What relative names stand below. */
  origin: Uint8Array;
  readonly out: Uint8Array;
  length = 0;

  constructor(words: Words, origin: Uint8Array) {
    this.words = words;
    this.origin = origin;
    this.out = new Uint8Array(MAX_RDATA);
  }

  /** Begin a record whose rdata is the words from `at` on. */
  begin(words: Words, at: number, origin: Uint8Array): void {
    this.words = words;
    this.at = at;
    this.origin = origin;
    this.length = 0;
  }

  get more(): boolean {
    return this.at < this.words.count;
  }

  /** The index of the next word, which is said to be `what`. */
  next(what: string): number {
    if (!this.more) throw this.wrongOrMissing(what);
    return this.at++;
  }

  /** The next word as characters. */
  text(what: string): string {
    return this.words.text(this.next(what));
  }

  /** The word before was not `what` it should be. */
  wrong(what: string, word: number = this.at - 1): Misread {
    return new Misread(word, `expected ${what}, got ${this.words.show(word)}`);
  }

  /** The next word is not `what` it should be, or there is none. */
  wrongOrMissing(what: string): Misread {
    if (this.more) return this.wrong(what, this.at);
    return new Misread(this.at, `expected ${what}, the record ends`);
  }

  /** Room for `count` more bytes; where they go. */
  grow(count: number): number {
    const at = this.length;
    if (at + count > MAX_RDATA)
      throw new Misread(this.at - 1, `more than ${MAX_RDATA} bytes in one record`);
    this.length = at + count;
    return at;
  }

  /** Append `value` as `width` bytes. */
  put(value: number, width: number): void {
    let at = this.grow(width);
    for (let shift = width - 1; shift >= 0; shift--)
      this.out[at++] = shift > 3 ? Math.floor(value / 2 ** (8 * shift)) : value >>> (8 * shift);
  }

  putBytes(bytes: ArrayLike<number>): void {
    this.out.set(bytes, this.grow(bytes.length));
  }

  /** The next word, a number of at most `max`. */
  integer(max: number): number {
    const word = this.next("a number");
    const { bytes } = this.words;
    const end = this.words.ends[word] as number;
    let value = 0;
    let at = this.words.starts[word] as number;
    if (at === end) throw this.wrong(`a number up to ${max}`);
    for (; at < end; at++) {
      const digit = (bytes[at] as number) - 0x30;
      if (digit < 0 || digit > 9) throw this.wrong(`a number up to ${max}`);
      value = value * 10 + digit;
      if (value > max) throw this.wrong(`a number up to ${max}`);
    }
    return value;
  }

  number(width: number): void {
    this.put(this.integer(2 ** (8 * width) - 1), width);
  }

  name(): void {
    const word = this.next("a domain name");
    const { bytes, starts, ends } = this.words;
    if (this.length + MAX_NAME > MAX_RDATA) this.grow(MAX_NAME); // says so
    const end = packName(
      bytes,
      starts[word] as number,
      ends[word] as number,
      this.origin,
      this.out,
      this.length,
    );
    if (end < 0) throw this.wrong("a domain name (labels of 1 to 63 bytes, 255 in all)");
    this.length = end;
  }

  /** Seconds, plain or `1w2d3h4m5s`. */
  ttl(): void {
    const word = this.next("a time in seconds");
    const { bytes, starts, ends } = this.words;
    const value = readTtl(bytes, starts[word] as number, ends[word] as number, 0xffff_ffff);
    if (value < 0) throw this.wrong('seconds or a time such as "1h30m"');
    this.put(value, 4);
  }

  /** The next word, a type. */
  readType(): number {
    const word = this.next("a record type");
    const { bytes, starts, ends } = this.words;
    const type = typeAt(bytes, starts[word] as number, ends[word] as number);
    if (type < 0) throw this.wrong("a record type");
    return type;
  }

  /** A word, with its escapes, behind its length. */
  string(): void {
    const head = this.grow(1);
    const length = this.raw("a text", MAX_STRING);
    this.out[head] = length;
  }

  /** A word, with its escapes, of at most `max` bytes; how many it has. */
  raw(what: string, max: number): number {
    const word = this.next(what);
    const { bytes } = this.words;
    const { out } = this;
    const end = this.words.ends[word] as number;
    const before = this.length;
    const limit = before + Math.min(max, MAX_RDATA - before);
    let into = before;
    for (let at = this.words.starts[word] as number; at < end; at++) {
      let byte = bytes[at] as number;
      if (byte === 0x5c) {
        byte = unescape(bytes, at, end);
        if (byte < 0) throw this.wrong(`${what} with escapes as \\DDD up to \\255`);
        at += byte >= 256 ? 3 : 1;
      }
      if (into === limit) throw this.wrong(`${what} of at most ${limit - before} bytes`);
      out[into++] = byte;
    }
    this.length = into;
    return into - before;
  }

  ip4(): void {
    const word = this.next("an IPv4 address");
    const { bytes } = this.words;
    const end = this.words.ends[word] as number;
    let at = this.words.starts[word] as number;
    const into = this.grow(4);
    for (let i = 0; i < 4; i++) {
      if (i > 0 && bytes[at++] !== 0x2e) throw this.wrong("an IPv4 address");
      const first = at;
      let octet = 0;
      for (let digit = 0; at < end; at++) {
        digit = (bytes[at] as number) - 0x30;
        if (digit < 0 || digit > 9) break;
        octet = octet * 10 + digit;
        if (at - first > 2) throw this.wrong("an IPv4 address");
      }
      const padded = at - first > 1 && bytes[first] === 0x30;
      if (at === first || octet > 255 || padded) throw this.wrong("an IPv4 address");
      this.out[into + i] = octet;
    }
    if (at !== end) throw this.wrong("an IPv4 address");
  }

  /** All the words that are left, as hexadecimal digits. */
  hex(): void {
    const { words, out } = this;
    let high = -1;
    for (; this.more; this.at++) {
      const start = words.starts[this.at] as number;
      const end = words.ends[this.at] as number;
      let into = this.#roomFor((end - start + 1) >>> 1);
      for (let at = start; at < end; at++) {
        const digit = HEX[words.bytes[at] as number] as number;
        if (digit > 15) throw this.wrong("hexadecimal digits", this.at);
        if (high < 0) high = digit;
        else {
          out[into++] = (high << 4) | digit;
          high = -1;
        }
      }
      this.length = into;
    }
    if (high >= 0) throw this.wrong("an even number of hexadecimal digits");
  }

  /** All the words that are left, as base64. */
  base64(): void {
    const { words, out } = this;
    let bits = 0;
    let held = 0;
    let digits = 0;
    let padding = 0;
    for (; this.more; this.at++) {
      const start = words.starts[this.at] as number;
      const end = words.ends[this.at] as number;
      let into = this.#roomFor(Math.ceil(((end - start) * 3) / 4));
      digits += end - start;
      for (let at = start; at < end; at++) {
        const byte = words.bytes[at] as number;
        if (byte === 0x3d && padding < 2) {
          padding++;
          continue;
        }
        const digit = BASE64[byte] as number;
        if (digit > 63 || padding > 0) throw this.wrong("base64", this.at);
        held = ((held << 6) | digit) & 0xfff;
        bits += 6;
        if (bits >= 8) {
          bits -= 8;
          out[into++] = held >>> bits;
        }
      }
      this.length = into;
    }
    const whole = digits % 4 === 0 && bits === padding * 2;
    if (!whole || held & ((1 << bits) - 1)) throw this.wrong("base64 (in whole groups of four)");
  }

  /** Where the next bytes go, when as many as `count` fit. */
  #roomFor(count: number): number {
    if (this.length + count > MAX_RDATA) this.grow(count); // says so
    return this.length;
  }
}

const HEX = table("0123456789abcdef", "0123456789ABCDEF");
const BASE64 = table("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");

/** The value of each character; 255 for the others. */
export function table(...alphabets: readonly string[]): Uint8Array {
  const values = new Uint8Array(256).fill(255);
  for (const alphabet of alphabets)
    for (const [i, char] of [...alphabet].entries()) values[char.charCodeAt(0)] = i;
  return values;
}

/** Seconds between `from` and `to`, plain or with BIND's units; -1 when it is none or above `max`. */
export function readTtl(bytes: Uint8Array, from: number, to: number, max: number): number {
  let total = 0;
  let number = -1;
  let united = false;
  for (let at = from; at < to; at++) {
    const byte = bytes[at] as number;
    const digit = byte - 0x30;
    if (digit >= 0 && digit <= 9) {
      number = Math.max(number, 0) * 10 + digit;
      if (number > max) return -1;
      continue;
    }
    const seconds = unit(byte | 0x20);
    if (seconds === 0 || number < 0) return -1;
    total += number * seconds;
    number = -1;
    united = true;
  }
  if (number < 0) return united && total <= max ? total : -1;
  total += number;
  return total <= max ? total : -1;
}

function unit(letter: number): number {
  switch (letter) {
    case 0x73: // s
      return 1;
    case 0x6d: // m
      return 60;
    case 0x68: // h
      return 3600;
    case 0x64: // d
      return 86_400;
    case 0x77: // w
      return 604_800;
    default:
      return 0;
  }
}
