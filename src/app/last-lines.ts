/** The last lines of a text that comes in pieces: what a process said before it died. */
export class LastLines {
  readonly #most: number;
  #lines: string[] = [];
  #unfinished = "";

  constructor(most: number) {
    this.#most = most;
  }

  /** The whole lines that `text` completes. */
  push(text: string): string[] {
    const [first = "", ...rest] = text.split("\n");
    const pieces = [this.#unfinished + first, ...rest];
    this.#unfinished = (pieces.pop() ?? "").slice(-MAX_LINE);
    const lines = pieces.map((line) => line.slice(0, MAX_LINE));
    this.#lines = [...this.#lines, ...lines].slice(-this.#most);
    return lines;
  }

  get text(): string {
    return [...this.#lines, this.#unfinished].join("\n").trim();
  }
}

/** Longer lines are cut: nobody reads them, and a runaway must not fill our memory. */
const MAX_LINE = 2000;
