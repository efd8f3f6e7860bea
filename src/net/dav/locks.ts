/** Write locks (RFC 4918, 6 and 7), as rows that all worker processes share. */
import type { Database, Statement } from "bun:sqlite";

import { ancestors, beneath } from "./paths.ts";

export interface Lock {
  readonly token: string;
  /** Absolute file path of the resource that was locked. */
  readonly path: string;
  /** It is a collection. */
  readonly collection: boolean;
  readonly exclusive: boolean;
  /** Covers everything beneath `path`, too. */
  readonly infinite: boolean;
  /** XML of the D:owner element; "" for none. */
  readonly owner: string;
  /** Who took it; "" when nobody had to say. */
  readonly user: string;
  /** Milliseconds since 1970. */
  readonly expires: number;
}

interface Row {
  token: string;
  path: string;
  collection: number;
  exclusive: number;
  infinite: number;
  owner: string;
  user: string;
  expires: number;
}

/** Locks whose time is over are as good as gone in every answer. */
export class Locks {
  readonly #now: () => number;
  readonly #any: Statement<unknown, []>;
  readonly #covering: Statement<Row, [string, string, number]>;
  readonly #beneath: Statement<Row, [string, string, number]>;
  readonly #insert: Statement<
    unknown,
    [string, string, number, number, number, string, string, number]
  >;
  readonly #extend: Statement<unknown, [number, string]>;
  readonly #remove: Statement<unknown, [string]>;
  readonly #removeAt: Statement<unknown, [string]>;
  readonly #rename: Statement<unknown, [string, string]>;
  readonly #renameBeneath: Statement<unknown, [string, string, string, string]>;
  readonly #removeBeneath: Statement<unknown, [string, string]>;
  readonly #expire: Statement<unknown, [number]>;

  constructor(db: Database, now: () => number) {
    this.#now = now;
    this.#any = db.query("SELECT 1 FROM lock LIMIT 1");
    // The path and those above come as one JSON list; joined this way round each is an index look-up.
    this.#covering = db.query(
      `SELECT lock.* FROM (SELECT value FROM json_each(?2)) AS above
       JOIN lock ON lock.path = above.value
       WHERE expires > ?3 AND (infinite = 1 OR path = ?1) ORDER BY path, token`,
    );
    this.#beneath = db.query(
      "SELECT * FROM lock WHERE path > ?1 AND path < ?2 AND expires > ?3 ORDER BY path, token",
    );
    this.#insert = db.query(
      `INSERT INTO lock (token, path, collection, exclusive, infinite, owner, user, expires)
       VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)`,
    );
    this.#extend = db.query("UPDATE lock SET expires = ?1 WHERE token = ?2");
    this.#remove = db.query("DELETE FROM lock WHERE token = ?1");
    this.#removeAt = db.query("DELETE FROM lock WHERE path = ?1");
    this.#rename = db.query("UPDATE lock SET path = ?2 WHERE path = ?1");
    this.#renameBeneath = db.query(
      "UPDATE lock SET path = ?4 || substr(path, length(?3) + 1) WHERE path > ?1 AND path < ?2",
    );
    this.#removeBeneath = db.query("DELETE FROM lock WHERE path > ?1 AND path < ?2");
    this.#expire = db.query("DELETE FROM lock WHERE expires <= ?1");
  }

  /** Locks on `path` itself and those from above that reach it. */
  covering(path: string): Lock[] {
    if (!this.#any.get()) return []; // mostly so, and a third of the cost
    return this.#covering
      .all(path, JSON.stringify([path, ...ancestors(path)]), this.#now())
      .map(lock);
  }

  /** Locks on what is beneath `path`. */
  beneath(path: string): Lock[] {
    return this.#beneath.all(...beneath(path), this.#now()).map(lock);
  }

  add(l: Lock): void {
    this.#expire.run(this.#now()); // the rows of dead locks go when a new one comes
    const [collection, exclusive, infinite] = [+l.collection, +l.exclusive, +l.infinite] as const;
    this.#insert.run(l.token, l.path, collection, exclusive, infinite, l.owner, l.user, l.expires);
  }

  /** Give it a new end. */
  extend(token: string, expires: number): void {
    this.#extend.run(expires, token);
  }

  remove(token: string): void {
    this.#remove.run(token);
  }

  /** What was at and beneath `path` is gone, and so are its locks. */
  removeTree(path: string): void {
    this.#removeAt.run(path);
    this.removeBeneath(path);
  }

  /** The tree has another name now. */
  moveTree(from: string, to: string): void {
    this.#rename.run(from, to);
    this.#renameBeneath.run(...beneath(from), from, to);
  }

  removeBeneath(path: string): void {
    this.#removeBeneath.run(...beneath(path));
  }
}

function lock(row: Row): Lock {
  return {
    ...row,
    collection: row.collection === 1,
    exclusive: row.exclusive === 1,
    infinite: row.infinite === 1,
  };
}
