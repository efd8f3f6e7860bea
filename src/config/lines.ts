/** The lines of a text: where an offset is, counted from 1, as editors do. */
export class Lines {
  readonly #text: string;
  readonly #starts: readonly number[];

  constructor(text: string) {
    this.#text = text;
    const starts = [0];
    for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
    this.#starts = starts;
  }

  /** An offset behind the end is at the end. */
  place(offset: number): { readonly line: number; readonly column: number } {
    const at = Math.min(Math.max(offset, 0), this.#text.length);
    const line = this.#starts.findLastIndex((start) => start <= at);
    return { line: line + 1, column: at - (this.#starts[line] ?? 0) + 1 };
  }

  /** Offsets of the first character of a line and of what ends it. */
  span(line: number): { readonly start: number; readonly end: number } {
    const start = this.#starts[line - 1] ?? this.#text.length;
    const end = (this.#starts[line] ?? this.#text.length + 1) - 1;
    return { start, end: end > start && this.#text[end - 1] === "\r" ? end - 1 : end };
  }
}
