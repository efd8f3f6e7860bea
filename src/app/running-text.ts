import { difference, type Edit, edit, editAlike, type Written, written } from "../config/edit.ts";

/** A change that is in force and not in the file. Plain JSON. */
export interface Unsaved {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** The user, as the admin API knows them. */
  readonly who: string;
  /** `pools state pool=app host=two to=drain`. */
  readonly what: string;
  /** What it did to the values of the text, to be done again on another text. */
  readonly edits: readonly Edit[];
}

/** So many changes are told one by one; then the older half only in what all came to. */
const MOST = 200;

/** What a process takes over from the one it replaces. Plain JSON. */
export interface Carried {
  readonly text: string;
  readonly file: string;
  readonly unsaved: readonly Unsaved[];
  readonly generation: number;
}

/** A change of the text that runs, by edits of it or as a whole. */
export interface Amendment {
  readonly who: string;
  readonly what: string;
  /** Throws Error, in words for the operator, when it cannot be. */
  amend(text: string): AmendedText;
}

/** Another text. */
export interface AmendedText {
  readonly text: string;
  /** What makes it out of the one before; asked for when it is in force. */
  edits(): readonly Edit[];
}

/** An amendment by edits. */
export function byEdits(
  who: string,
  what: string,
  edits: (config: Written) => readonly Edit[],
): Amendment {
  const amend = (text: string): AmendedText => {
    const next = edit(text, edits(written(text)));
    // Not what was asked for, but what it came to: no more of it than was changed is done again.
    const made = difference(text, next);
    return { text: next, edits: () => made };
  };
  return { who, what, amend };
}

/** An amendment to a whole text. */
export function byText(who: string, what: string, next: string): Amendment {
  return { who, what, amend: (text) => ({ text: next, edits: () => difference(text, next) }) };
}

/** The text in force, the one in the file, and how the first came out of the second. */
export class RunningText {
  #text: string;
  #file: string;
  #unsaved: readonly Unsaved[] = [];

  constructor(text: string, before?: Pick<Carried, "file" | "unsaved">) {
    this.#text = text;
    this.#file = before?.file ?? text;
    this.#unsaved = before?.unsaved ?? [];
  }

  /** In force. */
  get text(): string {
    return this.#text;
  }

  /** What the unsaved changes were made to: what the file said when it was read, or saved by us. */
  get file(): string {
    return this.#file;
  }

  get unsaved(): readonly Unsaved[] {
    return this.#unsaved;
  }

  /** The file was read, and is in force. What was not saved is gone: that is the answer. */
  reloaded(text: string): readonly Unsaved[] {
    const dropped = this.#text === text ? [] : this.#unsaved;
    this.#text = text;
    this.#file = text;
    this.#unsaved = [];
    return dropped;
  }

  /** A change is in force. */
  amended(next: AmendedText, at: number, { who, what }: Pick<Amendment, "who" | "what">): void {
    const { text } = next;
    const change = { at, who, what, edits: next.edits() };
    this.#text = text;
    // What was taken back by hand needs no saving.
    this.#unsaved = text === this.#file ? [] : this.#with(change);
  }

  #with(change: Unsaved): readonly Unsaved[] {
    const all = [...this.#unsaved, change];
    return all.length <= MOST ? all : inTheLast(all.slice(-MOST / 2), this.#file, this.#text);
  }

  /**
   * The file has every change now. It may have others' too, which are not in force: the next save
   * finds that it says something else, and makes its changes in that.
   */
  saved(): void {
    this.#file = this.#text;
    this.#unsaved = [];
  }

  /** The unsaved changes, made in another text. Throws Error when they cannot be. */
  appliedTo(text: string): string {
    const edits = this.#unsaved.flatMap((one) => one.edits);
    return editAlike(text, this.#file, edits);
  }
}

/** The same changes, when together they lead from one text to another: the last has all of it. */
export function inTheLast(changes: readonly Unsaved[], from: string, to: string): Unsaved[] {
  const last = changes.length - 1;
  const edits = difference(from, to);
  return changes.map((one, i) => ({ ...one, edits: i === last ? edits : [] }));
}
