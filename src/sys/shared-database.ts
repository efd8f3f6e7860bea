import { Database, SQLiteError } from "bun:sqlite";

import { nap } from "./nap.ts";

/** SQLite itself waits so long for another process, blocking. Milliseconds. */
const OPENING_MS = 2000;
/** Where SQLite does not wait (two who both begin the journal), it is tried again after so long, for as long. */
const PAUSE_US = 20_000;

/**
 * Open, or make, the SQLite file at `path` that several processes of this machine use at once, each
 * of which may be the first. `prepare` looks at it and makes the tables while nobody else does; what
 * it throws is thrown. Afterwards nothing waits for others unless `busy_timeout` is set.
 * @throws SQLiteError: not a database, no room, or busy for some seconds (OPENING_MS at each step).
 * @see https://www.sqlite.org/wal.html, https://www.sqlite.org/c3ref/busy_handler.html
 */
export function openShared(path: string, prepare: (db: Database) => void): Database {
  const db = new Database(path, { create: true, strict: true });
  try {
    db.run(`PRAGMA busy_timeout = ${OPENING_MS}`);
    withPatience(() => db.run("PRAGMA journal_mode = WAL"));
    const making = db.transaction(() => {
      prepare(db);
    });
    making.immediate();
    db.run("PRAGMA busy_timeout = 0");
    return db;
  } catch (failed) {
    db.close();
    throw failed;
  }
}

/** Another process is writing: a lack of luck rather than a fault. */
export function isBusy(failed: unknown): boolean {
  return failed instanceof SQLiteError && (failed.code ?? "").startsWith("SQLITE_BUSY");
}

/**
 * Who changes the journal's mode reads first and then wants to write: of two who do so at once, SQLite
 * tells one at once that it is busy, since waiting could be for ever.
 */
function withPatience(run: () => void): void {
  const end = performance.now() + OPENING_MS;
  for (;;)
    try {
      run();
      return;
    } catch (failed) {
      if (!isBusy(failed) || performance.now() >= end) throw failed;
      nap(PAUSE_US);
    }
}
