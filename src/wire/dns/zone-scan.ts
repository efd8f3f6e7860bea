/**
 * Master files (RFC 1035, 5): `$ORIGIN`, `$TTL` (RFC 2308, 4), `$INCLUDE` and BIND's `$GENERATE`,
 * and records in any of their spellings. Records are handed on one by one in buffers that are used
 * again, so that a million of them cost no more than one.
 */
import { Lexer } from "./lexer.ts";
import { MAX_NAME, packName } from "./name.ts";
import { Misread, Words } from "./words.ts";
import { generate } from "./zone-generate.ts";
import { RecordReader, type ScannedRecord } from "./zone-record.ts";

export interface ZoneProblem {
  readonly file: string;
  /** Both from 1. */
  readonly line: number;
  readonly column: number;
  readonly message: string;
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

class Scan {
  #origin: Uint8Array;
  /** The file that is read, and those that include it, outermost first. */
  readonly #open: Open[] = [];
  readonly #words = new Words();
  readonly #record: RecordReader;
  readonly problems: ZoneProblem[] = [];
  readonly #each: (record: ScannedRecord) => void;
  readonly #include: ZoneSource["include"];

  constructor({ file, origin, include }: ZoneSource, each: (record: ScannedRecord) => void) {
    this.#origin = origin;
    this.#include = include;
    this.#each = each;
    this.#record = new RecordReader(this.#words, origin, file);
  }

  open(text: Uint8Array | string): void {
    this.#open.push({
      lexer: new Lexer(typeof text === "string" ? new TextEncoder().encode(text) : text),
      file: this.#record.file,
      origin: this.#origin,
      owner: this.#record.owner,
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
    this.#origin = before.origin;
    this.#record.file = before.file;
    this.#record.owner = before.owner;
  }

  #entry(words: Words, blank: boolean): void {
    const start = words.starts[0] as number;
    if (!blank && words.bytes[start] === DOLLAR && words.quoted[0] === 0) {
      this.#directive(words);
      return;
    }
    this.#record.read(words, blank, this.#origin);
    this.#each(this.#record);
  }

  #directive(words: Words): void {
    const name = words.text(0).toUpperCase();
    switch (name) {
      case "$ORIGIN":
        this.#origin = this.#nameArgument(words, 1);
        return this.#nothingFrom(words, 2);
      case "$TTL":
        this.#record.setTtl(words, 1);
        return this.#nothingFrom(words, 2);
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
    this.#record.file = path;
    this.#origin = origin;
  }

  #fetch(include: NonNullable<ZoneSource["include"]>, path: string): Uint8Array | string {
    try {
      return include(path, this.#record.file);
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
          file: this.#record.file,
          line,
          column,
          message: `${error.message}, in "${shown}"`,
        });
        return;
      }
    }
  }

  #problem(words: Words, error: Misread): ZoneProblem {
    const { file } = this.#record;
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
