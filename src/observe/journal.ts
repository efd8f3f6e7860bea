import { type Level, LEVELS, type LogFields } from "./log.ts";
import { plain } from "./plain.ts";
import { Recent } from "./recent.ts";

/** Something that happened, as the console shows it. Plain JSON, without secrets. */
export interface Entry {
  /** Counts from 1; a gap means that something was forgotten. */
  readonly number: number;
  /** ISO 8601, UTC. */
  readonly time: string;
  readonly level: Level;
  readonly message: string;
  readonly [field: string]: unknown;
}

/** Characters of one field, fields of one entry: a stack or a list of a thousand is for the log file. */
const MOST_CHARS = 500;
const MOST_FIELDS = 20;
/** Numbers left to the process before, which may still have something to say. */
const LEFT_TO_PREDECESSOR = 100;
/** Not worth remembering. */
const LEAST = LEVELS.indexOf("info");

/** The last things that happened, in memory, for whoever looks in; and for whoever listens, as they happen. */
export class Journal {
  readonly #recent: Recent<Omit<Entry, "number">>;
  readonly #listeners = new Set<(entry: Entry) => void>();

  constructor(capacity: number) {
    this.#recent = new Recent(capacity);
  }

  /** `at` is milliseconds since 1970. What is only for debugging is not kept. */
  add(level: Level, message: string, fields: LogFields, at: number): void {
    if (LEVELS.indexOf(level) < LEAST) return;
    const head = { time: new Date(at).toISOString(), level, message: cut(message) };
    const event = { ...head, ...short(fields), ...head }; // nor for any of the head
    const number = this.#recent.push(event);
    for (const listener of this.#listeners) listener(entry(number, event));
  }

  /** What the process before this one remembers: its entries, and numbers that go on behind them. */
  inherit(entries: readonly Entry[]): void {
    for (const { number, ...event } of entries) {
      this.#recent.continueAfter(number - 1);
      this.#recent.push(event);
    }
    const last = entries.at(-1)?.number;
    if (last !== undefined) this.#recent.continueAfter(last + LEFT_TO_PREDECESSOR);
  }

  /** Newer than `number`, oldest first. */
  after(number: number): Entry[] {
    return this.#recent.after(number).map(({ number, event }) => entry(number, event));
  }

  /** Called with everything from now on, until the returned function is called. */
  listen(listener: (entry: Entry) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

/** No field passes for the number. */
function entry(number: number, event: Omit<Entry, "number">): Entry {
  return Object.assign({ number }, event, { number }) as Entry;
}

function short(fields: LogFields): Record<string, unknown> {
  const own = Object.entries(fields).slice(0, MOST_FIELDS);
  return Object.fromEntries(own.map(([key, value]) => [key, shortValue(value, key)]));
}

function shortValue(value: unknown, key: string): unknown {
  if (value instanceof Error) return cut(value.message);
  const shown = plain(value, key);
  if (typeof shown === "string") return cut(shown);
  if (typeof shown !== "object" || shown === null) return shown;
  const text = JSON.stringify(shown);
  return text.length > MOST_CHARS ? cut(text) : shown;
}

function cut(text: string): string {
  return text.length > MOST_CHARS ? `${text.slice(0, MOST_CHARS - 1)}…` : text;
}
