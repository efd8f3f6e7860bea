/**
 * What was counted at each place, and what has changed there since. In SQLite, since all processes of
 * this machine share it. For sums nobody waits and nobody fails: what cannot be done now is undefined.
 */
import { type Database, SQLiteError } from "bun:sqlite";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";

import { isBusy, openShared } from "../../../sys/shared-database.ts";
import type { Amount } from "./amount.ts";
import type { Changes } from "./untold.ts";

/** Longest wait for another process. Milliseconds. */
const BUSY_MS = 50;

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
CREATE TABLE IF NOT EXISTS folded (
  process TEXT PRIMARY KEY,  -- of any machine
  seq INTEGER NOT NULL       -- its last batch that is in here
) STRICT, WITHOUT ROWID;
`;

/** A process's changes, which are to be in here once. */
export interface Batch {
  readonly process: string;
  /** Goes up with each of its batches. */
  readonly seq: number;
  readonly changes: Changes;
}

export class Ledger {
  readonly #db: Database;
  readonly #prefixes: readonly string[];

  /** `usage.sqlite` in `directory`. */
  constructor(directory: string, prefixes: readonly string[]) {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    this.#db = open(join(directory, "usage.sqlite"));
    this.#prefixes = prefixes;
  }

  /** It was counted, and nobody has changed anything there since. */
  isCounted(place: string): boolean {
    const text = "SELECT 1 FROM counted WHERE place = ? AND prefixes = ? AND changed = 0";
    const found = patiently(() => this.#db.query(text).get(place, this.#known));
    return found !== undefined && found !== null;
  }

  /** That is all there is, says who began to look at `began`, ms since 1970. */
  count(
    place: string,
    all: readonly { readonly path: string; readonly size: number }[],
    began: number,
  ): void {
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
  }

  /** Carry on what was counted before; false: not now. */
  change(changes: Changes): boolean {
    const change = this.#db.transaction(() => {
      this.#change(changes);
      return true;
    });
    return patiently(() => change.immediate()) ?? false;
  }

  /** The same, each batch once; of `processes` there may be batches yet. */
  fold(batches: readonly Batch[], processes: readonly string[]): boolean {
    const fold = this.#db.transaction(() => {
      for (const { process, seq, changes } of batches) {
        const text = "SELECT 1 FROM folded WHERE process = ? AND seq >= ?";
        if (this.#db.query(text).get(process, seq) !== null) continue;
        this.#change(changes);
        this.#db.query("INSERT OR REPLACE INTO folded VALUES (?, ?)").run(process, seq);
      }
      this.#db
        .query("DELETE FROM folded WHERE process NOT IN (SELECT value FROM json_each(?))")
        .run(JSON.stringify(processes));
      return true;
    });
    return patiently(() => fold.immediate()) ?? false;
  }

  /** Others may have changed anything: all is to be counted again. False: not now. */
  doubt(): boolean {
    const text = "UPDATE counted SET changed = 1";
    return patiently(() => this.#db.run(text)) !== undefined;
  }

  /** How many places were counted by whoever began at `began` or later, ms since 1970. */
  countedSince(began: number): number {
    const text = "SELECT count(*) AS n FROM counted WHERE prefixes = ? AND at >= ?";
    const query = this.#db.query<{ readonly n: number }, [string, number]>(text);
    return patiently(() => query.get(this.#known, Math.floor(began)))?.n ?? 0;
  }

  /** All places together, by prefix. */
  sums(): ReadonlyMap<string, Amount> | undefined {
    const text =
      "SELECT prefix, sum(bytes) AS bytes, sum(files) AS files FROM usage GROUP BY prefix";
    const rows = patiently(() => this.#db.query<{ prefix: string } & Amount, []>(text).all());
    return rows && new Map(rows.map(({ prefix, bytes, files }) => [prefix, { bytes, files }]));
  }

  close(): void {
    this.#db.close();
  }

  #change(changes: Changes): void {
    for (const [place, there] of changes)
      for (const [prefix, change] of there) {
        if (this.#hasSeen(place, change.at)) continue;
        this.#add(prefix, place, change);
        this.#db.query("UPDATE counted SET changed = 1 WHERE place = ?").run(place);
      }
  }

  /** It was counted since: what has changed is in that. */
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

/** Undefined: another process is busy with it, or its disk is full. */
function patiently<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    if (error instanceof SQLiteError) return undefined;
    throw error;
  }
}
