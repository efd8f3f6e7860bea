/**
 * How much is stored below which prefix: counted by the walk over all partitions, and in between
 * carried on by what each process writes. In SQLite, since all processes of this machine share it.
 * Files count once, however many copies there are.
 */
import { type Database, SQLiteError } from "bun:sqlite";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";

import { isBusy, openShared } from "../../sys/shared-database.ts";
import type { Version } from "./record.ts";

/** What has been written is told to the others so much later. Milliseconds. */
const TELL_MS = 500;
/** Sums are made no more often. Milliseconds. */
const FRESH_MS = 1000;
/** Longest wait for another process: nobody is to wait for sums. Milliseconds. */
const BUSY_MS = 50;
const PARTITION = /\/([0-9a-f]{3})\/[0-9a-f]+$/;

const TABLES = `
CREATE TABLE IF NOT EXISTS counted (
  place TEXT PRIMARY KEY,    -- stage and partition: "0 3a7"
  prefixes TEXT NOT NULL,    -- that it was counted for
  at INTEGER NOT NULL,       -- when that began, ms since 1970
  changed INTEGER NOT NULL   -- since then, so that the sums are only nearly right
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS usage (
  prefix TEXT NOT NULL,
  place TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  files INTEGER NOT NULL,
  PRIMARY KEY (prefix, place)
) STRICT, WITHOUT ROWID;
`;

/** What is stored. */
export interface Amount {
  readonly bytes: number;
  readonly files: number;
}

/** What has changed, and when it last did. */
interface Pending extends Amount {
  /** Milliseconds since 1970. */
  readonly at: number;
}

const NOTHING: Amount = { bytes: 0, files: 0 };
/** Whatever is stored. */
export const ALL = "/";

export class Usage {
  readonly #db: Database;
  readonly #now: () => number;
  readonly #limits: ReadonlyMap<string, number>;
  readonly #prefixes: readonly string[];
  /** Not told yet, by prefix and place. */
  readonly #pending = new Map<string, Map<string, Pending>>();
  #timer: NodeJS.Timeout | undefined;
  #closed = false;
  #sums: ReadonlyMap<string, Amount> = new Map();
  #summedAt = -Infinity;

  /** `usage.sqlite` in `directory`; most bytes by prefix; `now` in milliseconds, never going back. */
  constructor(directory: string, limits: Readonly<Record<string, number>>, now: () => number) {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    this.#db = open(join(directory, "usage.sqlite"));
    this.#now = now;
    this.#limits = new Map(Object.entries(limits));
    this.#prefixes = [...new Set([ALL, ...this.#limits.keys()])].toSorted();
  }

  /** Nobody has changed anything there since it was counted. */
  isCounted(stage: number, partition: number): boolean {
    const text = "SELECT 1 FROM counted WHERE place = ? AND prefixes = ? AND changed = 0";
    const found = patiently(() => this.#db.query(text).get(placeOf(stage, partition), this.#known));
    return found !== null;
  }

  /** That is all there is in the partition, says who began to look at `began`, ms since 1970. */
  count(
    stage: number,
    partition: number,
    all: readonly { readonly path: string; readonly size: number }[],
    began: number,
  ): void {
    const place = placeOf(stage, partition);
    const count = this.#db.transaction(() => {
      this.#db.query("DELETE FROM usage WHERE place = ?").run(place);
      for (const prefix of this.#prefixes) {
        const within = all.filter(({ path }) => path.startsWith(prefix));
        const bytes = within.reduce((sum, { size }) => sum + size, 0);
        if (within.length > 0) this.#add(prefix, place, { bytes, files: within.length });
      }
      this.#db
        .query("INSERT OR REPLACE INTO counted VALUES (?, ?, ?, 0)")
        .run(place, this.#known, Math.floor(began));
    });
    patiently(() => count.immediate()); // otherwise it is counted next time
    this.#summedAt = -Infinity;
  }

  /**
   * A file has come, gone or changed: so much more is stored. `record`: the place of its record; `at`:
   * now, ms since 1970.
   */
  changed(stage: number, record: string, path: string, more: Amount, at: number): void {
    if (this.#closed) return; // the walk counts it
    const [, digits = ""] = PARTITION.exec(record) ?? [];
    const place = `${stage} ${digits}`;
    for (const prefix of this.#prefixes) {
      if (!path.startsWith(prefix)) continue;
      const places = this.#pending.get(prefix) ?? new Map<string, Pending>();
      this.#pending.set(prefix, places);
      places.set(place, { ...plus(places.get(place) ?? NOTHING, more), at });
    }
    this.#timer ??= setTimeout(() => this.#tell(), TELL_MS);
  }

  /** Bytes that may still be stored at `path`; Infinity: as many as there is room for. */
  room(path: string): number {
    let room = Infinity;
    for (const [prefix, limit] of this.#limits)
      if (path.startsWith(prefix)) room = Math.min(room, limit - this.of(prefix).bytes);
    return Math.max(0, room);
  }

  /** What is stored below one of the prefixes. */
  of(prefix: string): Amount {
    if (this.#now() - this.#summedAt >= FRESH_MS) this.#sum();
    const pending: readonly Amount[] = [...(this.#pending.get(prefix)?.values() ?? [])];
    const { bytes, files } = pending.reduce(plus, this.#sums.get(prefix) ?? NOTHING);
    return { bytes: Math.max(0, bytes), files: Math.max(0, files) };
  }

  /** By prefix, with the most that it may be. */
  get figures(): Readonly<Record<string, Amount & { readonly quota?: number }>> {
    return Object.fromEntries(
      this.#prefixes.map((prefix) => {
        const quota = this.#limits.get(prefix);
        return [prefix, { ...this.of(prefix), ...(quota !== undefined && { quota }) }];
      }),
    );
  }

  close(): void {
    if (this.#timer !== undefined) this.#tell();
    clearTimeout(this.#timer);
    this.#closed = true;
    this.#db.close();
  }

  #tell(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const tell = this.#db.transaction(() => {
      for (const [prefix, places] of this.#pending)
        for (const [place, amount] of places) {
          if (this.#hasSeen(place, amount.at)) continue;
          this.#add(prefix, place, amount);
          this.#db.query("UPDATE counted SET changed = 1 WHERE place = ?").run(place);
        }
      return "told";
    });
    if (patiently(() => tell.immediate()) === undefined) {
      this.#timer = setTimeout(() => this.#tell(), TELL_MS);
      return;
    }
    this.#pending.clear();
    this.#summedAt = -Infinity;
  }

  /** It was counted since: what is pending is in that. */
  #hasSeen(place: string, at: number): boolean {
    return (
      this.#db.query("SELECT 1 FROM counted WHERE place = ? AND at > ?").get(place, at) !== null
    );
  }

  #add(prefix: string, place: string, { bytes, files }: Amount): void {
    this.#db
      .query(
        `INSERT INTO usage VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT DO UPDATE SET bytes = bytes + ?3, files = files + ?4`,
      )
      .run(prefix, place, bytes, files);
  }

  #sum(): void {
    this.#summedAt = this.#now();
    const text =
      "SELECT prefix, sum(bytes) AS bytes, sum(files) AS files FROM usage GROUP BY prefix";
    const rows = patiently(() => this.#db.query<{ prefix: string } & Amount, []>(text).all());
    if (rows === undefined) return; // what was known is nearly right
    this.#sums = new Map(rows.map(({ prefix, bytes, files }) => [prefix, { bytes, files }]));
  }

  get #known(): string {
    return JSON.stringify(this.#prefixes);
  }
}

/** Of a file that cannot be read there will be another one: all of it is counted again. */
function open(path: string): Database {
  try {
    return opened(path);
  } catch (error) {
    if (!(error instanceof SQLiteError) || isBusy(error)) throw error;
    for (const one of [path, `${path}-wal`, `${path}-shm`]) rmSync(one, { force: true });
    return opened(path);
  }
}

function opened(path: string): Database {
  const db = openShared(path, (made) => made.run(TABLES));
  db.run("PRAGMA synchronous = OFF"); // what a power cut takes is counted again
  db.run(`PRAGMA busy_timeout = ${BUSY_MS}`);
  return db;
}

/** Undefined: another process is busy with it, or its disk is full: for sums nobody fails. */
function patiently<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    if (error instanceof SQLiteError) return undefined;
    throw error;
  }
}

function placeOf(stage: number, partition: number): string {
  return `${stage} ${partition.toString(16).padStart(3, "0")}`;
}

function plus(a: Amount, b: Amount): Amount {
  return { bytes: a.bytes + b.bytes, files: a.files + b.files };
}

/** What more is stored when `after` takes the place of `before`. */
export function growth(before: Version | undefined, after: Version): Amount {
  const amount = (of: Version | undefined): Amount =>
    of === undefined || of.kind === "deleted"
      ? { bytes: 0, files: 0 }
      : { bytes: of.size, files: 1 };
  const [was, is] = [amount(before), amount(after)];
  return { bytes: is.bytes - was.bytes, files: is.files - was.files };
}

/** A body was longer than there is room for. */
export class OverQuota extends Error {
  override name = "OverQuota";
}

/** `body`, which ends in `OverQuota` behind `room` bytes. */
export async function* atMost(
  body: AsyncIterable<Uint8Array>,
  room: number,
): AsyncGenerator<Uint8Array, void> {
  let left = room;
  for await (const bytes of body) {
    left -= bytes.length;
    if (left < 0) throw new OverQuota();
    yield bytes;
  }
}
