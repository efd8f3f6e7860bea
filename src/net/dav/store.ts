/**
 * What WebDAV has to remember beside the files: locks and dead properties. One SQLite file in the
 * state directory serves every worker process and outlives them all. Keys are absolute file
 * paths: sites that share the file agree on what they both serve.
 */
import { type Database, SQLiteError } from "bun:sqlite";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";

import { isBusy, openShared } from "../../sys/shared-database.ts";
import { Locks } from "./locks.ts";
import { Properties } from "./properties.ts";

/** Longest wait for another process to finish its change: those take a rename and an fsync. */
const PATIENCE_MS = 10_000;
/** First pause between two tries; it doubles up to the second. */
const PAUSE_MS = [1, 16] as const;
/** Bump when the tables change: an older tern then refuses the file instead of misreading it. */
const LAYOUT = 1;

const TABLES = `
CREATE TABLE IF NOT EXISTS lock (
  token TEXT PRIMARY KEY,
  path TEXT NOT NULL,        -- of the resource that was locked
  collection INTEGER NOT NULL,
  exclusive INTEGER NOT NULL,
  infinite INTEGER NOT NULL, -- covers what is beneath, too
  owner TEXT NOT NULL,       -- XML, "" when none was given
  user TEXT NOT NULL,        -- who holds it, "" for nobody in particular
  expires INTEGER NOT NULL   -- ms since 1970
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS lock_path ON lock (path);
CREATE TABLE IF NOT EXISTS property (
  path TEXT NOT NULL,
  ns TEXT NOT NULL,
  name TEXT NOT NULL,
  value TEXT NOT NULL,       -- the whole element as XML
  PRIMARY KEY (path, ns, name)
) STRICT, WITHOUT ROWID;
`;

/** Another process held the store for longer than anyone should wait. */
export class StoreBusy extends Error {
  constructor() {
    super("the WebDAV store is busy");
    this.name = "StoreBusy";
  }
}

export class Store {
  readonly locks: Locks;
  readonly properties: Properties;
  readonly #db: Database;
  readonly #begin: () => void;
  readonly #commit: () => void;
  readonly #rollback: () => void;

  /** Opens `dav.sqlite` in `directory`, or makes it. `now` tells milliseconds since 1970. */
  constructor(directory: string, now: () => number) {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    // Waiting must not block the event loop: from here on SQLite waits for nobody.
    const db = openShared(join(directory, "dav.sqlite"), prepareTables);
    this.#db = db;
    try {
      // An answered PROPPATCH or LOCK is on disk, even when the power fails.
      db.run("PRAGMA synchronous = FULL");
      this.locks = new Locks(db, now);
      this.properties = new Properties(db);
    } catch (failed) {
      db.close();
      throw failed;
    }
    const [begin, commit, rollback] = ["BEGIN IMMEDIATE", "COMMIT", "ROLLBACK"].map((text) => {
      const statement = db.query(text);
      return () => void statement.run();
    }) as [() => void, () => void, () => void]; // three in, three out
    [this.#begin, this.#commit, this.#rollback] = [begin, commit, rollback];
  }

  /**
   * Run `change` while no other process and no other request runs one: what it checks is still
   * true when it acts. It must be short and may not wait. What it throws undoes what it stored.
   */
  async exclusively<T>(change: () => T): Promise<T> {
    let [pause, longest] = PAUSE_MS as readonly [number, number];
    for (let waited = 0; waited < PATIENCE_MS; waited += pause) {
      if (this.#enter()) return this.#inside(change);
      await wait(pause);
      pause = Math.min(pause * 2, longest);
    }
    throw new StoreBusy();
  }

  /** `path` is something new: what was known of that name, and beneath it, is forgotten. Mostly nothing is to be written. */
  async forgetProperties(path: string): Promise<void> {
    if (this.properties.anyIn(path)) await this.exclusively(() => this.properties.removeTree(path));
  }

  close(): void {
    this.#db.close();
  }

  /** False: another process is inside. */
  #enter(): boolean {
    try {
      this.#begin();
      return true;
    } catch (failed) {
      if (!isBusy(failed)) throw failed;
      return false;
    }
  }

  /** On the turn that we came in on: whoever waits in between lets another request in. */
  #inside<T>(change: () => T): T {
    try {
      const result = change();
      this.#commit();
      return result;
    } catch (failed) {
      // SQLite has already rolled back by itself after some errors, such as a full disk.
      if (this.#db.inTransaction) this.#rollback();
      throw failed;
    }
  }
}

function prepareTables(db: Database): void {
  const { user_version: found } = db
    .query<{ user_version: number }, []>("PRAGMA user_version")
    .get() ?? { user_version: 0 };
  if (found > LAYOUT)
    throw new Error(`dav.sqlite was written by a newer version (layout ${found})`);
  if (found === LAYOUT) return;
  db.run(TABLES);
  db.run(`PRAGMA user_version = ${LAYOUT}`);
}

/** No room for the store itself. */
export function isFull(failed: unknown): boolean {
  return failed instanceof SQLiteError && (failed.code?.startsWith("SQLITE_FULL") ?? false);
}
