import { Lines } from "../../lines.ts";
import type { Problem } from "../../problem.ts";

/** Something of the old file that the new one does not say, or says otherwise. */
export interface Note {
  /** Of the old file; both from 1. */
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

const PASSWORD = /(password\s*=\s*)("[^"]*"?|'[^']*'?)/g;
const WIDTH = 120;

/** Collects what is to be said about a file, with its places. */
export class Report {
  readonly problems: Problem[] = [];
  readonly notes: Note[] = [];
  readonly #file: string;
  readonly #text: string;
  readonly #lines: Lines;

  constructor(text: string, file: string) {
    this.#file = file;
    this.#text = text;
    this.#lines = new Lines(text);
  }

  /** The file cannot be used. `path` is of names, as `service web.group main`. */
  problem(at: number, path: string, message: string): void {
    const place = this.#lines.place(at);
    const excerpt = this.#excerpt(place);
    this.problems.push({ file: this.#file, ...place, path, message, excerpt });
  }

  note(at: number, message: string): void {
    this.notes.push({ ...this.#lines.place(at), message });
  }

  #excerpt({ line, column }: { line: number; column: number }): string {
    const { start, end } = this.#lines.span(line);
    // As long as before, so that the caret stands right.
    const shown = this.#text
      .slice(start, end)
      .replaceAll("\t", " ")
      .replace(PASSWORD, (_, name: string, value: string) => name + "*".repeat(value.length));
    if (shown.trim() === "" || shown.length > WIDTH) return "";
    return `  ${shown.trimEnd()}\n  ${" ".repeat(column - 1)}^`;
  }
}
