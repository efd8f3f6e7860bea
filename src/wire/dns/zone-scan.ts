/**
 * Master files (RFC 1035, 5): `$ORIGIN`, `$TTL` (RFC 2308, 4), `$INCLUDE` and BIND's `$GENERATE`,
 * and records in any of their spellings. Records are handed on one by one in buffers that are used
 * again, so that a million of them cost no more than one.
 */
import { Lexer } from "./lexer.ts";
import { classAt, typeAt } from "./mnemonic.ts";
import { MAX_NAME, packName } from "./name.ts";
import { readRdata } from "./rdata/parse.ts";
import { readTtl, TextReader } from "./rdata/text-reader.ts";
import { CLASS, TYPE } from "./types.ts";
import { Misread, Words } from "./words.ts";
import { generate } from "./zone-generate.ts";

export interface ZoneProblem {
  readonly file: string;
  /** Both from 1. */
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

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

export interface ZoneSource {
  /** How the file is called in problems, and from where it includes others. */
  readonly file: string;
  /** Where the file begins, until it has a `$ORIGIN`. */
  readonly origin: Uint8Array;
  /** The text of an included file, named as in `from`; what it throws is the problem. */
  readonly include?: (path: string, from: string) => Uint8Array | string;
}

/** More than these help nobody. */
export const MAX_PROBLEMS = 100;
/** Files that include files: deeper is a circle. */
const MAX_DEPTH = 16;
/** A record takes about a microsecond. */
const ENTRIES_A_TURN = 1000;
/** RFC 2181, 8. */
const MAX_TTL = 0x7fff_ffff;

/** Read a master file, each record to `each`; every problem that was found, none when all is good. */
export function scanZone(
  text: Uint8Array | string,
  source: ZoneSource,
  each: (record: ScannedRecord) => void,
): ZoneProblem[] {
  const scan = new Scan(source, each);
  scan.open(text);
  while (scan.turn());
  return scan.problems;
}

/** `scanZone`, a millisecond or two at a time, for who has other things to do in between. */
export function* scanZoneInTurns(
  text: Uint8Array | string,
  source: ZoneSource,
  each: (record: ScannedRecord) => void,
): Generator<void, ZoneProblem[], void> {
  const scan = new Scan(source, each);
  scan.open(text);
  while (scan.turn()) yield;
  return scan.problems;
}

/** A file being read, and what was so where it was included. */
interface Open {
  readonly lexer: Lexer;
  readonly file: string;
  readonly origin: Uint8Array;
  readonly owner: Uint8Array;
}

class Scan implements ScannedRecord {
  readonly name = new Uint8Array(MAX_NAME);
  nameLength = 0;
  type = 0;
  class: number = CLASS.IN;
  ttl = 0;
  readonly rdata: Uint8Array;
  rdataLength = 0;
  file: string;
  line = 0;
  #origin: Uint8Array;
  /** `$TTL`, the last TTL that a record had, and the SOA's minimum; -1 before there is one. */
  #defaultTtl = -1;
  #lastTtl = -1;
  #minimum = -1;
  /** The file that is read, and those that include it, outermost first. */
  readonly #open: Open[] = [];
  readonly #words = new Words();
  readonly #reader: TextReader;
  readonly problems: ZoneProblem[] = [];
  readonly #each: (record: ScannedRecord) => void;
  readonly #include: ZoneSource["include"];

  constructor(source: ZoneSource, each: (record: ScannedRecord) => void) {
    this.file = source.file;
    this.#origin = source.origin;
    this.#include = source.include;
    this.#each = each;
    this.#reader = new TextReader(this.#words, source.origin);
    this.rdata = this.#reader.out;
  }

  open(text: Uint8Array | string): void {
    this.#open.push({
      lexer: new Lexer(typeof text === "string" ? new TextEncoder().encode(text) : text),
      file: this.file,
      origin: this.#origin,
      owner: this.name.slice(0, this.nameLength),
    });
  }

  /** Read some more; false when there is nothing left. */
  turn(): boolean {
    for (let left = ENTRIES_A_TURN; left > 0; left--) {
      const last = this.#open.at(-1);
      if (last === undefined || this.problems.length >= MAX_PROBLEMS) return false;
      if (!this.#read(last.lexer)) this.#close();
    }
    return true;
  }

  /** One entry; false at the end of the file. */
  #read(lexer: Lexer): boolean {
    const words = this.#words;
    try {
      if (!lexer.next(words)) return false;
      this.#entry(words, lexer.blank);
    } catch (error) {
      if (!(error instanceof Misread)) throw error;
      this.problems.push(this.#problem(words, error));
    }
    return true;
  }

  /** Origin and owner are as before the file was included (RFC 1035, 5.1). */
  #close(): void {
    const before = this.#open.pop();
    if (before === undefined) return;
    this.file = before.file;
    this.#origin = before.origin;
    this.name.set(before.owner);
    this.nameLength = before.owner.length;
  }

  #entry(words: Words, blank: boolean): void {
    const start = words.starts[0] as number;
    if (!blank && words.bytes[start] === DOLLAR && words.quoted[0] === 0) {
      this.#directive(words);
      return;
    }
    let at = 0;
    if (!blank) {
      this.#owner(words, 0);
      at = 1;
    } else if (this.nameLength === 0) throw new Misread(0, "the first record needs an owner");
    this.#record(words, at);
  }

  #owner(words: Words, word: number): void {
    const end = packName(
      words.bytes,
      words.starts[word] as number,
      words.ends[word] as number,
      this.#origin,
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
  #record(words: Words, first: number): void {
    const { bytes, starts, ends } = words;
    let ttl = -1;
    let klass = -1;
    for (let at = first; ; at++) {
      if (at >= words.count) throw new Misread(at, "expected a record type, the record ends");
      const start = starts[at] as number;
      const end = ends[at] as number;
      const digit = (bytes[start] as number) - 0x30;
      if (digit >= 0 && digit <= 9 && ttl < 0) {
        ttl = readTtl(bytes, start, end, MAX_TTL);
        if (ttl < 0)
          throw new Misread(at, `expected a TTL up to ${MAX_TTL}, got ${words.show(at)}`);
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
      this.#reader.begin(words, at + 1, this.#origin);
      readRdata(this.type, this.#reader);
      this.rdataLength = this.#reader.length;
      this.line = words.lines[first] as number;
      this.ttl = this.#ttl(ttl, at);
      this.#each(this);
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

  #directive(words: Words): void {
    const name = words.text(0).toUpperCase();
    switch (name) {
      case "$ORIGIN":
        this.#origin = this.#nameArgument(words, 1);
        return this.#nothingFrom(words, 2);
      case "$TTL": {
        if (words.count < 2) throw new Misread(1, "expected a TTL");
        const ttl = readTtl(
          words.bytes,
          words.starts[1] as number,
          words.ends[1] as number,
          MAX_TTL,
        );
        if (ttl < 0) throw new Misread(1, `expected a TTL up to ${MAX_TTL}, got ${words.show(1)}`);
        this.#defaultTtl = ttl;
        return this.#nothingFrom(words, 2);
      }
      case "$INCLUDE":
        return this.#includes(words);
      case "$GENERATE":
        return this.#generates(words);
      default:
        throw new Misread(0, `expected $ORIGIN, $TTL, $INCLUDE or $GENERATE, got ${words.show(0)}`);
    }
  }

  #nameArgument(words: Words, word: number): Uint8Array {
    const name = new Uint8Array(MAX_NAME);
    if (word >= words.count) throw new Misread(word, "expected a domain name");
    const start = words.starts[word] as number;
    const end = packName(words.bytes, start, words.ends[word] as number, this.#origin, name, 0);
    if (end < 0) throw new Misread(word, `expected a domain name, got ${words.show(word)}`);
    return name.slice(0, end);
  }

  #nothingFrom(words: Words, word: number): void {
    if (words.count > word) throw new Misread(word, `unexpected ${words.show(word)} at the end`);
  }

  #includes(words: Words): void {
    if (words.count < 2) throw new Misread(1, "expected a file");
    const path = new TextDecoder().decode(words.bytes.subarray(words.starts[1], words.ends[1]));
    const origin = words.count > 2 ? this.#nameArgument(words, 2) : this.#origin;
    this.#nothingFrom(words, 3);
    if (this.#open.length > MAX_DEPTH)
      throw new Misread(1, `more than ${MAX_DEPTH} files inside each other`);
    if (this.#include === undefined) throw new Misread(1, "no other files can be included here");
    const text = this.#fetch(this.#include, path);
    this.open(text);
    this.file = path;
    this.#origin = origin;
  }

  #fetch(include: NonNullable<ZoneSource["include"]>, path: string): Uint8Array | string {
    try {
      return include(path, this.file);
    } catch (error) {
      throw new Misread(
        1,
        `cannot include "${path}": ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  }

  /** Every line it makes stands where it does. */
  #generates(words: Words): void {
    const line = words.lines[0] as number;
    const column = this.#column(words, 0);
    for (const text of generate(words)) {
      const made = new Words();
      try {
        new Lexer(text, line).next(made);
        this.#entry(made, false);
      } catch (error) {
        if (!(error instanceof Misread)) throw error;
        const shown = new TextDecoder().decode(text);
        this.problems.push({
          file: this.file,
          line,
          column,
          message: `${error.message}, in "${shown}"`,
        });
        return;
      }
    }
  }

  #problem(words: Words, error: Misread): ZoneProblem {
    const { file } = this;
    const word = Math.min(error.word, words.count - 1);
    const line = words.lines[word] as number;
    return { file, line, column: this.#column(words, error.word), message: error.message };
  }

  /** The column of a word, or behind the last one. */
  #column(words: Words, word: number): number {
    const last = Math.min(word, words.count - 1);
    const at = (word > last ? words.ends[last] : words.starts[last]) as number;
    const newline = at === 0 ? -1 : words.bytes.lastIndexOf(10, at - 1);
    return at - newline;
  }
}

const DOLLAR = 0x24;

/** Types that are asked for or travel with a message, and are in no zone (RFC 6895, 3.1). */
function isQuestion(type: number): boolean {
  return type === TYPE.OPT || (type >= TYPE.NXNAME && type <= TYPE.ANY);
}

function word32(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(at);
}
