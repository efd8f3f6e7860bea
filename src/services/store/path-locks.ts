/** One change of a name at a time, in all processes of this machine. */
import { closeSync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";

import { lockFile, unlockFile } from "../../sys/file-lock.ts";
import { Changes } from "./changes.ts";

/** Locks; names share them. */
const LOCKS = 256;
/** How often another process's lock is looked at. Milliseconds. */
const AGAIN_MS = 2;

/**
 * Throws a `MemberError` when it is no longer certain that nobody else runs: to be asked before every
 * step that others would have to know of.
 */
export type Still = () => void;

export interface Locks {
  /** Run while nobody else runs for the same key. Rejects with a `MemberError` when its turn does not come. */
  hold<T>(key: string, run: (still: Still) => Promise<T>): Promise<T>;
  /** Counts whoever holds one, before and after; undefined where others change names unseen. */
  readonly changes?: Changes | undefined;
  /** Call it when nobody holds any. */
  close(): void;
}

export class PathLocks implements Locks {
  readonly changes: Changes;
  readonly #directory: string;
  readonly #fds: (number | undefined)[] = [];
  readonly #last: (Promise<unknown> | undefined)[] = [];

  /** Makes `directory`, and files in it. */
  constructor(directory: string) {
    this.#directory = directory;
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    this.changes = new Changes(join(directory, "changes"));
  }

  /** Run while nobody else runs for the same key. */
  async hold<T>(key: string, run: (still: Still) => Promise<T>): Promise<T> {
    const i = Bun.hash.xxHash32(key, 0) % LOCKS;
    const before = this.#last[i];
    const mine = (async (): Promise<T> => {
      await before?.catch(() => {}); // whoever ran it has heard
      const fd = (this.#fds[i] ??= openSync(join(this.#directory, String(i)), "a", 0o600));
      while (lockFile(fd) === "EAGAIN") await wait(AGAIN_MS);
      const place = this.changes.placeOf(key);
      this.changes.count(place);
      try {
        return await run(() => {}); // the kernel keeps it for us
      } finally {
        this.changes.count(place);
        unlockFile(fd);
      }
    })();
    this.#last[i] = mine;
    try {
      return await mine;
    } finally {
      if (this.#last[i] === mine) this.#last[i] = undefined;
    }
  }

  /** Call it when nobody holds any. */
  close(): void {
    for (const [i, fd] of this.#fds.entries())
      if (fd !== undefined) {
        closeSync(fd);
        this.#fds[i] = undefined;
      }
  }
}
