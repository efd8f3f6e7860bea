/**
 * The files a site has sent lately (3xsd's xcache): small ones whole, larger ones open, each
 * with what has been made of it, within a budget of bytes and one of open files.
 */
import { closeSync } from "node:fs";

import { ByteLru } from "../../core/byte-lru.ts";
import type { Coding } from "../../wire/http/encoding.ts";
import { strongEtag } from "../../wire/http/etag.ts";
import type { FieldSet } from "./fields.ts";
import { load } from "./load.ts";
import type { Facts, Opened, Origin } from "./origin.ts";
import { Resource } from "./resource.ts";
import type { Refusal } from "./tree.ts";

export interface ShelfRules {
  /** Bytes. */
  readonly memory: number;
  readonly openFiles: number;
  /** Larger files are not held in memory. Bytes. */
  readonly small: number;
  /** Milliseconds. */
  readonly ttl: number;
  readonly fields: (path: string) => FieldSet;
  /** Codings whose files may stand beside a path, and those it may be compressed in. */
  readonly sidecars: (path: string) => readonly Coding[];
  readonly codings: (path: string, size: number) => readonly Coding[];
}

/** Told what is on the shelf, so that it can say when that changes on disk. */
export interface Watcher {
  /** A file from `directory` (a path that ends in "/") was put on the shelf. True when it is watched only from now on. */
  entered(directory: string): boolean;
  left(directory: string): void;
}

export const SIDECAR: Readonly<Record<Coding, string>> = { zstd: ".zst", br: ".br", gzip: ".gz" };

export class Shelf {
  readonly #origin: Origin;
  readonly #rules: ShelfRules;
  readonly #cached: ByteLru<string, Resource>;
  /** Of those, the ones with open files, weighed by how many. */
  readonly #open: ByteLru<string, Resource>;
  #watcher: Watcher | undefined;
  hits = 0;
  misses = 0;

  constructor(origin: Origin, rules: ShelfRules) {
    this.#origin = origin;
    this.#rules = rules;
    this.#cached = new ByteLru(rules.memory, (resource) => this.#left(resource));
    this.#open = new ByteLru(rules.openFiles, (resource) => this.#cached.delete(resource.path));
  }

  /** From now on. Nothing must be on the shelf yet. */
  watch(watcher: Watcher): void {
    this.#watcher = watcher;
  }

  /** The file at a decoded path. It is held for the caller, who drops it. `now` is a `Clock` time. */
  find(path: string, now: number): Resource | "directory" | Refusal {
    const known = this.#cached.get(path);
    if (known) {
      if (now < known.freshUntil || this.#stillTrue(known, now)) {
        this.hits++;
        known.hold();
        return known;
      }
      this.#cached.delete(path);
    }
    this.misses++;
    if (this.#origin.moved()) this.clear();
    const opened = this.#origin.open(path);
    return typeof opened === "string" ? opened : this.#keep(this.#make(path, opened), now);
  }

  /** A variant was added to it: weigh it again. */
  grown(resource: Resource): void {
    if (!resource.alive) return;
    if (!this.#cached.resize(resource.path, resource.weight)) return;
    const { path, openFiles } = resource;
    if (this.#open.has(path)) this.#open.resize(path, openFiles);
    else if (openFiles > 0 && !this.#open.set(path, resource, openFiles)) this.#cached.delete(path);
  }

  forget(path: string): void {
    this.#cached.delete(path);
  }

  /** Forget all whose path begins so; `directory` ends in "/". */
  forgetUnder(directory: string): void {
    for (const path of this.#cached.keys())
      if (path.startsWith(directory)) this.#cached.delete(path);
  }

  clear(): void {
    this.#cached.clear();
  }

  get entries(): number {
    return this.#cached.size;
  }
  get bytes(): number {
    return this.#cached.bytes;
  }
  get openFiles(): number {
    return this.#open.bytes;
  }

  /** Look at the disk: are the file and those beside it what they were? */
  #stillTrue(resource: Resource, now: number): boolean {
    if (this.#origin.moved()) {
      this.clear();
      return false;
    }
    const { path, facts, sidecars } = resource;
    if (this.#origin.facts(path)?.identity !== facts.identity) return false;
    for (const coding of this.#rules.sidecars(path)) {
      const beside = this.#origin.facts(path + SIDECAR[coding]);
      if (usable(beside, facts)?.identity !== sidecars.get(coding)?.identity) return false;
    }
    resource.freshUntil = now + this.#rules.ttl;
    resource.baked = []; // Expires counts from now
    return true;
  }

  #make(path: string, opened: Opened): Resource {
    const { bytes, facts, fd } = load(opened, this.#rules.small);
    try {
      const sidecars = new Map<Coding, Facts>();
      for (const coding of this.#rules.sidecars(path)) {
        const beside = usable(this.#origin.facts(path + SIDECAR[coding]), facts);
        if (beside) sidecars.set(coding, beside);
      }
      const made = this.#rules.codings(path, facts.size).filter((coding) => !sidecars.has(coding));
      const offered = [...sidecars.keys(), ...made];
      const resource = new Resource(path, facts, {
        ...this.#rules.fields(path),
        sidecars,
        offered,
      });
      const etag = strongEtag(facts);
      resource.add({ coding: "identity", etag, length: facts.size, bytes, fd, offset: 0 });
      return resource;
    } catch (error) {
      if (fd >= 0) closeSync(fd);
      throw error;
    }
  }

  /** Put it on the shelf if it fits. Held for the caller either way. */
  #keep(resource: Resource, now: number): Resource {
    resource.freshUntil = now + this.#rules.ttl;
    const { path } = resource;
    if (this.#rules.ttl === 0 || resource.openFiles > this.#rules.openFiles) return resource;
    if (!this.#cached.set(path, resource, resource.weight)) return resource;
    resource.alive = true;
    resource.hold();
    if (resource.openFiles > 0) this.#open.set(path, resource, resource.openFiles);
    // What changed between the reading and the watch would never be told.
    const unseen = this.#watcher?.entered(directoryOf(path)) ?? false;
    if (unseen && this.#origin.facts(path)?.identity !== resource.facts.identity) this.forget(path);
    return resource;
  }

  #left(resource: Resource): void {
    if (!resource.alive) return; // its `set` was undone before it was kept
    resource.alive = false;
    this.#open.delete(resource.path);
    this.#watcher?.left(directoryOf(resource.path));
    resource.drop();
  }
}

/** "/a/b.txt" is in "/a/". */
export function directoryOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/") + 1);
}

/** A compressed file older than its original is not its compression any more. */
function usable(beside: Facts | undefined, original: Facts): Facts | undefined {
  return beside && beside.mtimeMs >= original.mtimeMs ? beside : undefined;
}
