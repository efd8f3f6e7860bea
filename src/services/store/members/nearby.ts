import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readSync,
  type Stats,
} from "node:fs";

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
  readonly #there: () => void;
  readonly #check: (at: string) => string;
  readonly #now: () => number;
  #tookMs = 0;
  #restsUntil = -Infinity;

  /**
   * `there` throws when the root is not there; `check`: the path of what is at `at`; throws when a link
   * is on the way. `now` as clocks have it.
   */
  constructor(there: () => void, check: (at: string) => string, now: () => number) {
    this.#there = there;
    this.#check = check;
    this.#now = now;
  }

  mark(at: string): string | undefined {
    return this.#quickly(() => {
      const there = lstatSync(this.#check(at), { throwIfNoEntry: false });
      return there === undefined ? undefined : markOf(there);
    });
  }

  read(at: string, most: number): Glimpse | "absent" | undefined {
    return this.#quickly(() => {
      const fd = this.#open(at);
      if (fd === "absent") {
        // Nothing at all is there when the root is not mounted.
        this.#there();
        return "absent";
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

  /** What `run` does in this thread; undefined when the disk takes its time, so that others are to. */
  now<T>(run: () => T): T | undefined {
    return this.#rests ? undefined : this.#timed(run);
  }

  /** What `now` does in this thread; when the disk takes its time, what `later` does in another. */
  async either<T>(now: () => T, later: () => Promise<T>): Promise<T> {
    return this.#rests ? later() : this.#timed(now);
  }

  #quickly<T>(run: () => T | undefined): T | undefined {
    if (this.#rests) return undefined;
    try {
      return this.#timed(run);
    } catch {
      return undefined; // the usual way meets it too, and has words for it
    }
  }

  #open(at: string): number | "absent" {
    try {
      return openSync(this.#check(at), O_RDONLY | O_NOFOLLOW);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return "absent";
      throw error;
    }
  }

  get #rests(): boolean {
    return this.#now() < this.#restsUntil;
  }

  #timed<T>(run: () => T): T {
    const began = this.#now();
    try {
      return run();
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

function markOf({ dev, ino, size, mtimeMs, ctimeMs }: Stats): string {
  return `${dev} ${ino} ${size} ${mtimeMs} ${ctimeMs}`;
}
