/** Dead properties (RFC 4918, 4): kept as they came, for whoever asks. */
import type { Database, Statement } from "bun:sqlite";

import type { PropertyName } from "../../wire/dav/property-name.ts";
import { beneath } from "./paths.ts";

export interface Property extends PropertyName {
  /** The whole element, as XML that means the same anywhere. */
  readonly value: string;
}

/** By absolute file path. Those beneath a directory move and go with it. */
export class Properties {
  readonly #of: Statement<Property, [string]>;
  readonly #any: Statement<unknown, [string, string, string]>;
  readonly #set: Statement<unknown, [string, string, string, string]>;
  readonly #unset: Statement<unknown, [string, string, string]>;
  readonly #removeAt: Statement<unknown, [string]>;
  readonly #removeBeneath: Statement<unknown, [string, string]>;
  readonly #copyOne: Statement<unknown, [string, string]>;
  readonly #copyBeneath: Statement<unknown, [string, string, string, string]>;

  constructor(db: Database) {
    this.#of = db.query("SELECT ns, name, value FROM property WHERE path = ?1 ORDER BY ns, name");
    this.#any = db.query(
      "SELECT 1 FROM property WHERE path = ?1 OR (path > ?2 AND path < ?3) LIMIT 1",
    );
    this.#set = db.query(
      "INSERT OR REPLACE INTO property (path, ns, name, value) VALUES (?1, ?2, ?3, ?4)",
    );
    this.#unset = db.query("DELETE FROM property WHERE path = ?1 AND ns = ?2 AND name = ?3");
    this.#removeAt = db.query("DELETE FROM property WHERE path = ?1");
    this.#removeBeneath = db.query("DELETE FROM property WHERE path > ?1 AND path < ?2");
    this.#copyOne = db.query(
      "INSERT OR REPLACE INTO property SELECT ?2, ns, name, value FROM property WHERE path = ?1",
    );
    this.#copyBeneath = db.query(
      `INSERT OR REPLACE INTO property
       SELECT ?4 || substr(path, length(?3) + 1), ns, name, value FROM property WHERE path > ?1 AND path < ?2`,
    );
  }

  of(path: string): Property[] {
    return this.#of.all(path);
  }

  /** Has `path`, or anything beneath it, one? */
  anyIn(path: string): boolean {
    return this.#any.get(path, ...beneath(path)) !== null;
  }

  set(path: string, property: Property): void {
    this.#set.run(path, property.ns, property.name, property.value);
  }

  unset(path: string, { ns, name }: PropertyName): void {
    this.#unset.run(path, ns, name);
  }

  removeTree(path: string): void {
    this.#removeAt.run(path);
    this.#removeBeneath.run(...beneath(path));
  }

  /** Of `from` alone. */
  copy(from: string, to: string): void {
    this.#copyOne.run(from, to);
  }

  /** Of `from` and all beneath. */
  copyTree(from: string, to: string): void {
    this.#copyOne.run(from, to);
    this.#copyBeneath.run(...beneath(from), from, to);
  }

  /** The tree has another name now. What was known of that name is forgotten. */
  moveTree(from: string, to: string): void {
    this.removeTree(to);
    this.copyTree(from, to);
    this.removeTree(from);
  }
}
