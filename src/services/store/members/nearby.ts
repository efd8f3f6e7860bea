import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readSync,
  type Stats,
} from "node:fs";
import { dirname, join } from "node:path";

import type { Glimpse, Near } from "./member.ts";

const { O_NOFOLLOW, O_RDONLY } = constants;
/** Weight of the newest reading in the average of how long they take. */
const NEWEST = 0.2;
/** Memory answers in microseconds, a disk that has to turn in milliseconds: others need not wait for it. */
const SLOW_MS = 2;
/** A slow one is left to the usual way for so long. Milliseconds. */
const REST_MS = 1000;

/**
 * Small files of a directory, read in the thread itself: for what the kernel has in memory that is
 * a hundredth of the work of having another thread do it. A disk that takes its time is left alone.
 */
export class Nearby implements Near {
  readonly #root: string;
  readonly #isKnown: (directory: string) => boolean;
  readonly #now: () => number;
  #tookMs = 0;
  #restsUntil = -Infinity;

  /**
   * `isKnown`: no link is on the way to a directory. `now` in milliseconds, never going back.
   */
  constructor(root: string, isKnown: (directory: string) => boolean, now: () => number) {
    this.#root = root;
    this.#isKnown = isKnown;
    this.#now = now;
  }

  mark(at: string): string | undefined {
    return this.#quickly(at, (path) => {
      const there = lstatSync(path, { throwIfNoEntry: false });
      return there === undefined ? undefined : markOf(there);
    });
  }

  read(at: string, most: number): Glimpse | "absent" | undefined {
    return this.#quickly(at, (path) => {
      const fd = open(path);
      if (fd === "absent") {
        // Nothing at all is there when the root is not mounted.
        return lstatSync(this.#root, { throwIfNoEntry: false }) && "absent";
      }
      try {
        const there = fstatSync(fd);
        if (!there.isFile() || there.size > most) return undefined;
        const bytes = new Uint8Array(there.size);
        for (let at = 0; at < bytes.length;) {
          const read = readSync(fd, bytes, at, bytes.length - at, at);
          if (read === 0) return undefined; // cut meanwhile
          at += read;
        }
        return { mark: markOf(there), bytes };
      } finally {
        closeSync(fd);
      }
    });
  }

  #quickly<T>(at: string, run: (path: string) => T | undefined): T | undefined {
    const path = join(this.#root, at);
    const began = this.#now();
    if (began < this.#restsUntil || !this.#isKnown(dirname(path))) return undefined;
    try {
      return run(path);
    } catch {
      return undefined; // the usual way meets it too, and has words for it
    } finally {
      const ended = this.#now();
      this.#tookMs += (ended - began - this.#tookMs) * NEWEST;
      if (this.#tookMs > SLOW_MS) {
        this.#tookMs = 0;
        this.#restsUntil = ended + REST_MS;
      }
    }
  }
}

function open(path: string): number | "absent" {
  try {
    return openSync(path, O_RDONLY | O_NOFOLLOW);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "absent";
    throw error;
  }
}

function markOf({ dev, ino, size, mtimeMs, ctimeMs }: Stats): string {
  return `${dev} ${ino} ${size} ${mtimeMs} ${ctimeMs}`;
}
