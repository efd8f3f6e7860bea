/** Which members take no copies any more: written down, and read again by every process of this machine. */
import { mkdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

import * as v from "valibot";

import { replaceFile } from "../../../sys/durable.ts";
import type { Shelf, Standing } from "../shelf.ts";

const FILE = "standing.json";
const ids = v.array(v.string());
const stages = v.record(v.string(), v.object({ out: ids, before: v.optional(ids) }));
/** By stage. */
export type StandingBook = v.InferOutput<typeof stages>;

/** Where the book is kept: a file, or what several routers share. */
export interface Standings {
  /** The book when it is another than last time; undefined: it has not changed. */
  read(): Promise<StandingBook | undefined>;
  /** In place of what it was. Resolves when all routers that are alive go by it. Rejects when it has changed meanwhile. */
  write(book: StandingBook): Promise<void>;
}

/** All processes have read the book so long after it was written. Milliseconds. */
const READ_MS = 1000;
export const SETTLED_MS = 3 * READ_MS;
/** How often each process reads it. */
export const STANDING_EVERY_MS = READ_MS;

/** The book of one router alone. */
export class StandingFile implements Standings {
  readonly #path: string;
  readonly #sleep: (ms: number) => Promise<void>;
  #mark = "";

  constructor(directory: string, sleep: (ms: number) => Promise<void>) {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    this.#path = join(directory, FILE);
    this.#sleep = sleep;
  }

  async read(): Promise<StandingBook | undefined> {
    const there = statSync(this.#path, { throwIfNoEntry: false });
    if (there === undefined) return undefined;
    const mark = `${there.ino} ${there.mtimeMs} ${there.size}`;
    if (mark === this.#mark) return undefined;
    const book = parseBook(readFileSync(this.#path, "utf8"));
    this.#mark = mark;
    return book;
  }

  async write(book: StandingBook): Promise<void> {
    await replaceFile(this.#path, emitBook(book));
    await this.#sleep(SETTLED_MS);
  }
}

export function emitBook(book: StandingBook): string {
  return `${JSON.stringify({ stages: book }, null, 2)}\n`;
}

/** Throws when it is none. */
export function parseBook(text: string): StandingBook {
  return v.parse(v.object({ stages }), JSON.parse(text)).stages;
}

/** Let the stages go by it. */
export function apply(book: StandingBook, shelves: readonly Shelf[]): void {
  for (const shelf of shelves) {
    const { out = [], before } = book[String(shelf.number)] ?? {};
    shelf.standing = { out: new Set(out), before: before && new Set(before) };
  }
}

/** What the stages go by. */
export function bookOf(shelves: readonly Shelf[]): StandingBook {
  const entries = shelves.map(({ number, standing: { out, before } }): [string, Entry] => [
    String(number),
    { out: [...out], ...(before !== undefined && { before: [...before] }) },
  ]);
  return Object.fromEntries(entries.filter(([, { out, before }]) => out.length > 0 || before));
}

type Entry = StandingBook[string];

/** `standing` with a member taken out, or back in. Throws, in words for the operator, when that cannot be. */
export function moved(shelf: Shelf, member: string, back: boolean): Standing {
  const { out, before } = shelf.standing;
  const next = new Set(out);
  if (back) next.delete(member);
  else next.add(member);
  // The same again: it goes on where it stopped.
  if (next.size === out.size) return { out, before: before ?? out };
  if (before !== undefined)
    throw new Error(`stage ${shelf.number} is moving copies already; one member after the other`);
  const left = shelf.seats.length - next.size;
  if (left < shelf.copies)
    throw new Error(
      `stage ${shelf.number} has ${shelf.copies} copies of each file, and would have ${left} members`,
    );
  return { out: next, before: out };
}
