import { closeSync, openSync, readdirSync, readSync, statSync, unlinkSync } from "node:fs";
import { join } from "node:path";

import { byName } from "../../../../wire/http/caching/field-list.ts";
import type { Bans } from "../bans.ts";
import { tagsOf } from "../entry.ts";
import { directories, FILE_NAME, NEW } from "./place.ts";
import { parse } from "./record.ts";
import type { Ledger } from "./writer.ts";

/** The bound is kept by going so far below it: removing files by ones and twos is dear. */
const LOW = 0.98;
/** Files looked at or removed before others get their turn. */
const AT_ONCE = 200;
const PAUSE_MS = 10;
/** What is older in `new/` is of nobody who still writes. */
const ABANDONED_MS = 10 * 60_000;

/** After a restart the time of the asking is known by that of the writing: as much later at most. */
const WRITTEN_MS = 60_000;

/** What a file takes is a multiple of it, on most file systems. */
const BLOCK = 4096;

interface File {
  /** Of the disk. */
  readonly bytes: number;
  /** When it was asked for: bans go by it. Milliseconds since 1970. */
  readonly asked: number;
}

export interface JanitorParts {
  readonly root: string;
  /** Bytes. */
  readonly bound: number;
  readonly bans: Bans;
  readonly wall: () => number;
  readonly failed: (what: string, error: unknown) => void;
}

/**
 * Keeps a cache's directory within its bound, the longest unused going first, and removes what is
 * banned. One for all workers: the others tell it what they do.
 */
export class Janitor implements Ledger {
  readonly #parts: JanitorParts;
  /** By name, the longest unused first. */
  readonly #files = new Map<string, File>();
  readonly #end = new AbortController();
  #evicting = false;
  #sweeping = false;
  #sweepAgain = false;
  bytes = 0;
  evicted = 0;
  /** Until all that is there has been seen. */
  scanning = true;
  /** Resolves then. */
  readonly ready: Promise<void>;

  constructor(parts: JanitorParts) {
    this.#parts = parts;
    this.ready = this.#scan();
  }

  /** It has not looked at everything yet that is, or was, to be removed. */
  get busy(): boolean {
    return this.scanning || this.#sweeping;
  }

  get size(): number {
    return this.#files.size;
  }

  written(name: string, length: number, asked = this.#parts.wall()): void {
    this.removed(name);
    const bytes = Math.ceil(length / BLOCK) * BLOCK;
    this.#files.set(name, { bytes, asked });
    this.bytes += bytes;
    if (!this.scanning && this.bytes > this.#parts.bound) void this.#evict();
  }

  used(name: string): void {
    const file = this.#files.get(name);
    if (file === undefined) return;
    this.#files.delete(name);
    this.#files.set(name, file);
  }

  /** The disk is full before its bound is reached: make room. */
  full(): void {
    void this.#evict(this.bytes * LOW);
  }

  /** Something was banned: remove what is dead, at leisure. */
  sweep(): void {
    this.#sweepAgain = true;
    if (!this.#sweeping && !this.scanning) void this.#sweep();
  }

  close(): void {
    this.#end.abort();
  }

  async #scan(): Promise<void> {
    const { root, wall, failed } = this.#parts;
    const found: { name: string; bytes: number; asked: number; used: number }[] = [];
    for (const directory of directories(root)) {
      if (this.#end.signal.aborted) return;
      try {
        const prefix = directory.slice(root.length + 1);
        for (const file of readdirSync(directory)) {
          if (!FILE_NAME.test(file)) continue;
          const stats = statSync(join(directory, file), { throwIfNoEntry: false });
          if (stats === undefined) continue;
          const { size: bytes, mtimeMs: asked, atimeMs: used } = stats;
          found.push({ name: `${prefix}/${file}`, bytes, asked, used });
        }
      } catch (error) {
        failed("scan", error);
      }
      await new Promise(setImmediate);
    }
    found.sort((a, b) => a.used - b.used);
    // What was written meanwhile is newer than all of it.
    const meanwhile = [...this.#files];
    this.#files.clear();
    this.bytes = 0;
    for (const { name, bytes, asked } of found) this.written(name, bytes, asked);
    for (const [name, { bytes, asked }] of meanwhile) this.written(name, bytes, asked);
    this.#clear(wall() - ABANDONED_MS);
    this.scanning = false;
    if (this.bytes > this.#parts.bound) void this.#evict();
    if (this.#sweepAgain || this.#parts.bans.size > 0) void this.#sweep();
  }

  /** Remove what writers that were killed have left. */
  #clear(before: number): void {
    const directory = join(this.#parts.root, NEW);
    try {
      for (const name of readdirSync(directory)) {
        const path = join(directory, name);
        const stats = statSync(path, { throwIfNoEntry: false });
        if (stats !== undefined && stats.mtimeMs < before && stats.ctimeMs < before)
          unlinkSync(path);
      }
    } catch (error) {
      this.#parts.failed("clear", error);
    }
  }

  async #evict(down = this.#parts.bound * LOW): Promise<void> {
    if (this.#evicting) return;
    this.#evicting = true;
    let done = 0;
    while (this.bytes > down && !this.#end.signal.aborted) {
      const [oldest] = this.#files.keys();
      if (oldest === undefined) break;
      this.#remove(oldest);
      this.evicted++;
      if (++done % AT_ONCE === 0) await others();
    }
    this.#evicting = false;
  }

  async #sweep(): Promise<void> {
    this.#sweeping = true;
    while (this.#sweepAgain && !this.#end.signal.aborted) {
      this.#sweepAgain = false;
      let done = 0;
      for (const [name, { asked }] of Array.from(this.#files)) {
        if (asked > this.#parts.bans.latest + WRITTEN_MS || this.#end.signal.aborted) continue;
        if (this.#isDead(name)) this.#remove(name);
        if (++done % AT_ONCE === 0) await others();
      }
    }
    this.#sweeping = false;
  }

  /** Does a ban match what the file says it is? */
  #isDead(name: string): boolean {
    const head = Buffer.alloc(16 * 1024);
    try {
      const fd = openSync(join(this.#parts.root, name), "r");
      try {
        const record = parse(head.subarray(0, readSync(fd, head, 0, head.length, 0)));
        if (record === undefined || record.kind === "fork") return false;
        const { asked, fields } = record.sent;
        return this.#parts.bans.isDead({
          key: record.name.key,
          tags: tagsOf(byName(fields)),
          asked,
        });
      } finally {
        closeSync(fd);
      }
    } catch {
      return false; // gone by now
    }
  }

  #remove(name: string): void {
    this.removed(name);
    try {
      unlinkSync(join(this.#parts.root, name));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") this.#parts.failed("remove", error);
    }
  }

  removed(name: string): void {
    const file = this.#files.get(name);
    if (file === undefined) return;
    this.#files.delete(name);
    this.bytes -= file.bytes;
  }

  /** The oldest response there is; bans from before it have nothing left to forbid. */
  get oldest(): number {
    let oldest = Infinity;
    for (const { asked } of this.#files.values()) oldest = Math.min(oldest, asked);
    return oldest - WRITTEN_MS;
  }
}

/** Let others have their turn. */
function others(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
}
