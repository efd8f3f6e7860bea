/** A run of characters to be replaced by others. */
export interface Splice {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** A text with splices made, which do not overlap. */
export function spliced(text: string, splices: readonly Splice[]): string {
  let out = "";
  let at = 0;
  for (const { start, end, text: put } of splices.toSorted((a, b) => a.start - b.start)) {
    out += text.slice(at, start) + put;
    at = end;
  }
  return out + text.slice(at);
}

/** Where the lines of a text are. */
export class Layout {
  readonly text: string;
  /** What ends its lines. */
  readonly eol: string;

  constructor(text: string) {
    this.text = text;
    this.eol = text.includes("\r\n") ? "\r\n" : "\n";
  }

  /** Where the line of an offset begins. */
  lineStart(offset: number): number {
    return this.text.lastIndexOf("\n", offset - 1) + 1;
  }

  /** Where its line ends, before whatever ends it. */
  lineEnd(offset: number): number {
    const newline = this.text.indexOf("\n", offset);
    if (newline < 0) return this.text.length;
    return this.text[newline - 1] === "\r" && newline > offset ? newline - 1 : newline;
  }

  /** Where the next line begins; for an offset at the beginning of a line that is itself. */
  lineAfter(offset: number): number {
    if (offset > 0 && this.text[offset - 1] === "\n") return offset;
    const newline = this.text.indexOf("\n", offset);
    return newline < 0 ? this.text.length : newline + 1;
  }

  column(offset: number): number {
    return offset - this.lineStart(offset);
  }

  /** Is there nothing but spaces before it on its line? */
  isFirst(offset: number): boolean {
    return this.text.slice(this.lineStart(offset), offset).trim() === "";
  }

  /** Back over the spaces before an offset. */
  beforeSpaces(offset: number): number {
    let at = offset;
    while (this.text[at - 1] === " " || this.text[at - 1] === "\t") at--;
    return at;
  }

  /** Forward over the spaces behind it. */
  afterSpaces(offset: number): number {
    let at = offset;
    while (this.text[at] === " " || this.text[at] === "\t") at++;
    return at;
  }

  /** The comma between two items of a flow collection, comments aside. */
  comma(from: number, to: number): number | undefined {
    for (let at = from; at < to; at++) {
      if (this.text[at] === ",") return at;
      if (this.text[at] === "#") at = this.lineEnd(at);
    }
    return undefined;
  }

  /** Whole lines to be put in before the line that begins at `at`, or at the end of the text. */
  insertLines(at: number, lines: string): Splice {
    const unfinished = at === this.text.length && at > 0 && !this.text.endsWith("\n");
    return { start: at, end: at, text: `${unfinished ? this.eol : ""}${lines}${this.eol}` };
  }
}
