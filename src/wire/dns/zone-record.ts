import { classAt, typeAt } from "./mnemonic.ts";
import { MAX_NAME, packName } from "./name.ts";
import { readRdata } from "./rdata/parse.ts";
import { readTtl, TextReader } from "./rdata/text-reader.ts";
import { CLASS, TYPE } from "./types.ts";
import { Misread, type Words } from "./words.ts";

/** A record as it is read: copy what is to stay. */
export interface ScannedRecord {
  /** The first `nameLength` bytes are the owner, case kept. */
  readonly name: Uint8Array;
  readonly nameLength: number;
  readonly type: number;
  readonly class: number;
  readonly ttl: number;
  /** The first `rdataLength` bytes. */
  readonly rdata: Uint8Array;
  readonly rdataLength: number;
  readonly file: string;
  readonly line: number;
}

/** RFC 2181, 8. */
const MAX_TTL = 0x7fff_ffff;

/** The records of a master file, one after the other: each may leave out what the last one had. */
export class RecordReader implements ScannedRecord {
  readonly name = new Uint8Array(MAX_NAME);
  nameLength = 0;
  type = 0;
  class: number = CLASS.IN;
  ttl = 0;
  readonly rdata: Uint8Array;
  rdataLength = 0;
  /** For who reads on: in which file they are. */
  file: string;
  line = 0;
  /** `$TTL`, the last TTL that a record had, and the SOA's minimum; -1 before there is one. */
  #defaultTtl = -1;
  #lastTtl = -1;
  #minimum = -1;
  readonly #reader: TextReader;

  constructor(words: Words, origin: Uint8Array, file: string) {
    this.#reader = new TextReader(words, origin);
    this.rdata = this.#reader.out;
    this.file = file;
  }

  /** The owner that a record has that does not say. */
  set owner(name: Uint8Array) {
    this.name.set(name);
    this.nameLength = name.length;
  }
  get owner(): Uint8Array {
    return this.name.slice(0, this.nameLength);
  }

  /** `$TTL`, whose argument is the word `at`. Throws Misread. */
  setTtl(words: Words, at: number): void {
    if (words.count <= at) throw new Misread(at, "expected a TTL");
    this.#defaultTtl = ttlAt(words, at);
  }

  /** Be the next record; `blank`: it begins without an owner. Throws Misread. */
  read(words: Words, blank: boolean, origin: Uint8Array): void {
    if (!blank) this.#owner(words, 0, origin);
    else if (this.nameLength === 0) throw new Misread(0, "the first record needs an owner");
    this.#record(words, blank ? 0 : 1, origin);
  }

  #owner(words: Words, word: number, origin: Uint8Array): void {
    const end = packName(
      words.bytes,
      words.starts[word] as number,
      words.ends[word] as number,
      origin,
      this.name,
      0,
    );
    if (end < 0) {
      this.nameLength = 0;
      throw new Misread(word, `expected a domain name, got ${words.show(word)}`);
    }
    this.nameLength = end;
  }

  /** TTL and class in any order, the type, the rdata. */
  #record(words: Words, first: number, origin: Uint8Array): void {
    const { bytes, starts, ends } = words;
    let ttl = -1;
    let klass = -1;
    for (let at = first; ; at++) {
      if (at >= words.count) throw new Misread(at, "expected a record type, the record ends");
      const start = starts[at] as number;
      const end = ends[at] as number;
      const digit = (bytes[start] as number) - 0x30;
      if (digit >= 0 && digit <= 9 && ttl < 0) {
        ttl = ttlAt(words, at);
        continue;
      }
      const number = klass < 0 ? classAt(bytes, start, end) : -1;
      if (number >= 0 && number !== CLASS.ANY) {
        klass = number;
        continue;
      }
      this.type = typeAt(bytes, start, end);
      if (this.type < 0 || isQuestion(this.type))
        throw new Misread(at, `expected a record type, got ${words.show(at)}`);
      if (klass >= 0) this.class = klass;
      this.#reader.begin(words, at + 1, origin);
      readRdata(this.type, this.#reader);
      this.rdataLength = this.#reader.length;
      this.line = words.lines[first] as number;
      this.ttl = this.#ttl(ttl, at);
      return;
    }
  }

  /** RFC 2308, 4, then RFC 1035, 5.1, then what BIND does with a file of neither. */
  #ttl(written: number, type: number): number {
    if (this.type === TYPE.SOA) this.#minimum = word32(this.rdata, this.rdataLength - 4);
    if (written >= 0) return (this.#lastTtl = written);
    const ttl = [this.#defaultTtl, this.#lastTtl, this.#minimum].find((known) => known >= 0);
    if (ttl === undefined) throw new Misread(type, "no TTL here, and no $TTL above");
    return Math.min(ttl, MAX_TTL);
  }
}

function ttlAt(words: Words, at: number): number {
  const ttl = readTtl(words.bytes, words.starts[at] as number, words.ends[at] as number, MAX_TTL);
  if (ttl < 0) throw new Misread(at, `expected a TTL up to ${MAX_TTL}, got ${words.show(at)}`);
  return ttl;
}

/** Types that are asked for or travel with a message, and are in no zone (RFC 6895, 3.1). */
function isQuestion(type: number): boolean {
  return type === TYPE.OPT || (type >= TYPE.NXNAME && type <= TYPE.ANY);
}

function word32(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(at);
}
