/** Copies that are not what they should be, and who has promised to mend them. */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

import * as v from "valibot";

import { backoff, type BackoffRules } from "../../../core/backoff.ts";
import type { Log } from "../../../observe/log.ts";
import type { Name } from "../names.ts";
import { compareStamps, type Stamp } from "../record.ts";
import { Journal, peek } from "./journal.ts";

/** A copy that is to be mended. */
export interface Hint {
  readonly name: Name;
  /** Id of the member. */
  readonly member: string;
  /** What is wanted there, or newer. */
  readonly stamp: Stamp;
  /** Its record may be right and its data not: look at every byte. */
  readonly suspect: boolean;
}

const AGAIN: BackoffRules = { first: 1000, most: 15_000, calm: 0 };
/** How long after it was made a hint is first looked at: what is being written becomes equal by itself. */
const SETTLE_MS = 1000;
/** Hints that reads have made; more are made again by the next reads. */
const MAX_LIGHT = 10_000;
/** A journal that is longer, and holds twice what is wanted, is written anew. Bytes. */
const COMPACT_AT = 2 ** 20;
const SUFFIX = ".journal";

const name = v.object({ stage: v.number(), key: v.string(), path: v.string() });
const hint = v.object({
  name,
  member: v.string(),
  stamp: v.object({ time: v.number(), by: v.string() }),
  suspect: v.boolean(),
});
const line = v.union([v.object({ want: hint }), v.object({ done: v.string() })]);

interface Wanted {
  readonly hint: Hint;
  /** Written down: an acknowledged write rests on it. */
  readonly durable: boolean;
  tries: number;
  due: number;
}

export class Hints {
  readonly #directory: string;
  readonly #log: Log;
  readonly #now: () => number;
  readonly #wanted = new Map<string, Wanted>();
  #journal: Journal;
  #light = 0;
  /** What other processes have written down, by file, for as long as the file stays as it is. */
  readonly #others = new Map<string, { readonly mark: string; readonly hints: Hint[] }>();

  private constructor(directory: string, journal: Journal, log: Log, now: () => number) {
    this.#directory = directory;
    this.#journal = journal;
    this.#log = log;
    this.#now = now;
  }

  /** A journal of our own in `directory`, made if need be. `now` in milliseconds. */
  static async open(directory: string, log: Log, now: () => number): Promise<Hints> {
    const hints = new Hints(directory, await ownJournal(directory), log, now);
    await hints.adopt();
    return hints;
  }

  get size(): number {
    return this.#wanted.size;
  }

  /** Hints on disk: an acknowledged write has fewer copies than it should for each of them. */
  get durable(): number {
    return this.#wanted.size - this.#light;
  }

  /** Remember, and have it on disk when this resolves. */
  async promise(given: readonly Hint[]): Promise<void> {
    if (given.length === 0) return;
    for (const one of given) this.#set(one, true);
    await this.#journal.add(...given.map((want) => ({ want })));
  }

  /** Remember until the process ends: whoever reads sees it again. */
  suggest(one: Hint): void {
    const known = this.#wanted.get(idOf(one));
    if (known !== undefined && (known.hint.suspect || !one.suspect)) return;
    if (known === undefined && this.#light >= MAX_LIGHT) return;
    this.#set(one, known?.durable ?? false);
  }

  /** Those whose time has come. */
  due(): Hint[] {
    const now = this.#now();
    return [...this.#wanted.values()].filter(({ due }) => due <= now).map((one) => one.hint);
  }

  /** It is mended. */
  async done(one: Hint): Promise<void> {
    const id = idOf(one);
    const known = this.#wanted.get(id);
    // A newer one has come meanwhile.
    if (known === undefined || compareStamps(known.hint.stamp, one.stamp) > 0) return;
    this.#wanted.delete(id);
    if (!known.durable) return void this.#light--;
    await this.#journal.add({ done: id });
    await this.#tidy();
  }

  /** It could not be mended yet. */
  failed(one: Hint): void {
    const known = this.#wanted.get(idOf(one));
    if (known !== undefined) known.due = this.#now() + backoff(++known.tries, AGAIN);
  }

  /** A member that was away is back: what waits for it need not wait for its time. */
  hurry(member: string): void {
    for (const one of this.#wanted.values())
      if (one.hint.member === member) one.due = Math.min(one.due, this.#now());
  }

  /** Has this process promised a newer version to a member? Cheap. */
  hasPromised({ stage, key }: Name, member: string, stamp: Stamp): boolean {
    if (this.durable === 0) return false;
    const known = this.#wanted.get(`${stage} ${member} ${key}`);
    return known !== undefined && compareStamps(known.hint.stamp, stamp) > 0;
  }

  /** The version that this process has promised to a member, on disk; undefined: none. Cheap. */
  promised({ stage, key }: Name, member: string): Stamp | undefined {
    if (this.durable === 0) return undefined;
    const known = this.#wanted.get(`${stage} ${member} ${key}`);
    return known?.durable === true ? known.hint.stamp : undefined;
  }

  /** Is a copy known to be older than what was acknowledged? Asks all processes' journals. */
  isStale({ key }: Name, member: string, stamp: Stamp): boolean {
    const newer = (one: Hint): boolean =>
      one.member === member && one.name.key === key && compareStamps(one.stamp, stamp) > 0;
    const own = this.#wanted.values().some(({ hint: one }) => newer(one));
    return own || this.#readOthers().some(newer);
  }

  /** Take over what processes that are no more have promised. */
  async adopt(): Promise<void> {
    for (const file of this.#files()) {
      const journal = await Journal.open(file).catch(() => undefined); // its heir was quicker
      if (journal === undefined) continue;
      const { values, damaged } = journal.read();
      if (damaged > 0) this.#log.warn("lines of a journal are damaged", { file, lines: damaged });
      await this.promise(wantedIn(values));
      await journal.close(true);
    }
  }

  async close(): Promise<void> {
    await this.#journal.close(this.durable === 0);
  }

  #set(one: Hint, durable: boolean): void {
    const id = idOf(one);
    const known = this.#wanted.get(id);
    const newest = known && compareStamps(known.hint.stamp, one.stamp) > 0 ? known.hint : one;
    const suspect = one.suspect || (known?.hint.suspect ?? false);
    const due = known?.due ?? this.#now() + SETTLE_MS;
    const kept = (known?.durable ?? false) || durable;
    if (known !== undefined && !known.durable) this.#light--;
    if (!kept) this.#light++;
    this.#wanted.set(id, {
      hint: { ...newest, suspect },
      durable: kept,
      tries: known?.tries ?? 0,
      due,
    });
  }

  async #tidy(): Promise<void> {
    if (this.durable === 0) {
      if (this.#journal.size > COMPACT_AT) await this.#journal.empty();
      return;
    }
    if (this.#journal.size < COMPACT_AT + this.durable * 1024) return;
    const old = this.#journal;
    this.#journal = await ownJournal(this.#directory);
    const kept = this.#wanted.values().filter(({ durable }) => durable);
    await this.#journal.add(...kept.map((one) => ({ want: one.hint })));
    await old.close(true);
  }

  #files(): string[] {
    return readdirSync(this.#directory)
      .filter((file) => file.endsWith(SUFFIX))
      .map((file) => join(this.#directory, file))
      .filter((file) => file !== this.#journal.path);
  }

  #readOthers(): Hint[] {
    return this.#files().flatMap((file) => {
      try {
        const { size, mtimeMs } = statSync(file);
        const mark = `${size} ${mtimeMs}`;
        const known = this.#others.get(file);
        if (known?.mark === mark) return known.hints;
        const hints = wantedIn(peek(file));
        this.#others.set(file, { mark, hints });
        return hints;
      } catch {
        this.#others.delete(file); // its owner is done with it
        return [];
      }
    });
  }
}

/** What a journal's lines leave to be done. */
export function wantedIn(values: readonly unknown[]): Hint[] {
  const wanted = new Map<string, Hint>();
  for (const value of values) {
    const read = v.safeParse(line, value);
    if (!read.success) continue;
    if ("done" in read.output) wanted.delete(read.output.done);
    else wanted.set(idOf(read.output.want), read.output.want);
  }
  return [...wanted.values()];
}

function idOf({ name: { stage, key }, member }: Hint): string {
  return `${stage} ${member} ${key}`;
}

async function ownJournal(directory: string): Promise<Journal> {
  const journal = await Journal.open(join(directory, `${crypto.randomUUID()}${SUFFIX}`));
  if (journal === undefined) throw new Error(`${directory}: the journal of hints is another's`);
  return journal;
}
