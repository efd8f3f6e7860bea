/** Cuts a master file into entries of words (RFC 1035, 5.1): comments, quotes, escapes, parentheses. */
import { Misread, type Words } from "./words.ts";

/** What a byte does to a word. */
const ORDINARY = 0;
const SPACE = 1;
const NEWLINE = 2;
const COMMENT = 3;
const OPEN = 4;
const CLOSE = 5;
const QUOTE = 6;
const ESCAPE = 7;

const KIND = new Uint8Array(256);
for (const [chars, kind] of [
  [" \t\r", SPACE],
  ["\n", NEWLINE],
  [";", COMMENT],
  ["(", OPEN],
  [")", CLOSE],
  ['"', QUOTE],
  ["\\", ESCAPE],
] as const)
  for (const char of chars) KIND[char.charCodeAt(0)] = kind;

const EQUALS = 0x3d;

export class Lexer {
  /** The line that is read next, from 1. */
  line: number;
  /** Whether the entry began with a blank: its owner is the one before. */
  blank = false;
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array, line = 1) {
    this.#bytes = bytes;
    this.line = line;
    if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) this.#at = 3; // some editors sign UTF-8
  }

  /** Read the next entry that has words; false at the end. Throws `Misread`, and then goes on behind the line. */
  next(words: Words): boolean {
    const bytes = this.#bytes;
    const end = bytes.length;
    words.bytes = bytes;
    words.count = 0;
    let depth = 0;
    let at = this.#at;
    this.blank = at < end && KIND[bytes[at] as number] === SPACE;
    while (at < end) {
      const start = at;
      switch (KIND[bytes[at++] as number] as number) {
        case SPACE:
          break;
        case NEWLINE:
          this.line++;
          if (depth > 0) break;
          if (words.count > 0) {
            this.#at = at;
            return true;
          }
          this.blank = at < end && KIND[bytes[at] as number] === SPACE;
          break;
        case COMMENT:
          while (at < end && bytes[at] !== 10) at++;
          break;
        case OPEN:
          depth++;
          break;
        case CLOSE:
          if (--depth < 0) throw this.#wrong(words, start, `")" without "("`);
          break;
        case QUOTE:
          at = this.#quoted(words, at);
          words.add(start + 1, at - 1, this.line, true);
          break;
        default:
          at = this.#word(words, start);
          words.add(start, at, this.line, false);
      }
    }
    this.#at = end;
    if (depth > 0) throw this.#wrong(words, end, `"(" without ")"`);
    return words.count > 0;
  }

  /** Behind the quote that ends what began in front of `at`. */
  #quoted(words: Words, at: number): number {
    const bytes = this.#bytes;
    for (let i = at; i < bytes.length; i++) {
      if (bytes[i] === 0x22) return i + 1;
      if (bytes[i] === 0x5c) i++;
      if (bytes[i] === 10) break;
    }
    throw this.#wrong(words, at - 1, "a quoted text must end on its line");
  }

  /** Behind the word that begins at `at`. `alpn="h2,h3"` is one word (RFC 9460, 2.1). */
  #word(words: Words, at: number): number {
    const bytes = this.#bytes;
    for (let i = at; ; i++) {
      if (i >= bytes.length) return bytes.length;
      const kind = KIND[bytes[i] as number];
      if (kind === ORDINARY) continue;
      if (kind === ESCAPE) {
        if (i + 1 >= bytes.length || bytes[i + 1] === 10)
          throw this.#wrong(words, at, "a backslash at the end of a line");
        i++;
      } else if (kind === QUOTE && i > at && bytes[i - 1] === EQUALS) {
        i = this.#quoted(words, i + 1) - 1;
      } else return i;
    }
  }

  /** The fault as the last word, and the reading behind its line. */
  #wrong(words: Words, at: number, message: string): Misread {
    const bytes = this.#bytes;
    words.add(at, Math.min(at + 1, bytes.length), this.line, false);
    const newline = bytes.indexOf(10, at);
    this.#at = newline < 0 ? bytes.length : newline + 1;
    if (newline >= 0) this.line++;
    return new Misread(words.count - 1, message);
  }
}
