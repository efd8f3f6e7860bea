/** The words of one entry of a master file, or of one record's text: where they lie, nothing copied. */

const FIRST_ROOM = 64;

export class Words {
  bytes: Uint8Array = new Uint8Array(0);
  count = 0;
  /** Word `i` is between `starts[i]` and `ends[i]`, its quotes left out. */
  starts: Int32Array = new Int32Array(FIRST_ROOM);
  ends: Int32Array = new Int32Array(FIRST_ROOM);
  /** The line it is on, from 1. */
  lines: Int32Array = new Int32Array(FIRST_ROOM);
  /** 1 when it stood in quotes. */
  quoted: Uint8Array = new Uint8Array(FIRST_ROOM);

  add(start: number, end: number, line: number, quoted: boolean): void {
    if (this.count === this.starts.length) this.#grow();
    const i = this.count++;
    this.starts[i] = start;
    this.ends[i] = end;
    this.lines[i] = line;
    this.quoted[i] = quoted ? 1 : 0;
  }

  /** A word as it was written, for a message: its first characters when it is long. */
  show(i: number): string {
    const start = this.starts[i] as number;
    const text = new TextDecoder().decode(this.bytes.subarray(start, this.ends[i]));
    return `"${text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text}"`;
  }

  /** A word's bytes as characters below 256. */
  text(i: number): string {
    let text = "";
    for (let at = this.starts[i] as number; at < (this.ends[i] as number); at++)
      text += String.fromCharCode(this.bytes[at] as number);
    return text;
  }

  #grow(): void {
    this.starts = doubled(this.starts);
    this.ends = doubled(this.ends);
    this.lines = doubled(this.lines);
    const quoted = new Uint8Array(this.quoted.length * 2);
    quoted.set(this.quoted);
    this.quoted = quoted;
  }
}

/** Characters of a wrong word that a message repeats. */
const SHOWN = 40;

/** What is wrong with a word; `word` at or beyond the last means that one is missing at the end. */
export class Misread extends Error {
  readonly word: number;

  constructor(word: number, message: string) {
    super(message);
    this.word = word;
  }
}

function doubled(numbers: Int32Array): Int32Array {
  const more = new Int32Array(numbers.length * 2);
  more.set(numbers);
  return more;
}
