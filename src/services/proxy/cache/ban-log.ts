import { appendFileSync, closeSync, fstatSync, openSync, readSync, statSync } from "node:fs";
import { basename, dirname } from "node:path";

import * as v from "valibot";

import { type Reactor, READABLE } from "../../../net/reactor.ts";
import { replaceFile } from "../../../sys/durable.ts";
import { IN, Inotify } from "../../../sys/inotify.ts";
import { type Ban, BAN_KINDS } from "./bans.ts";

const ban = v.object({
  time: v.number(),
  kind: v.picklist(BAN_KINDS),
  value: v.string(),
});

/** Bytes read at a time. */
const STEP = 64 * 1024;

export interface BanLogParts {
  readonly path: string;
  readonly reactor: Reactor;
  /** All bans in force are told again: it is a new file. */
  readonly anew: () => void;
  /** Somebody banned this, maybe ourselves. */
  readonly heard: (ban: Ban) => void;
  readonly failed: (what: string, error: unknown) => void;
}

/**
 * Where workers tell each other what must not be used any more: a line for each ban, read by all at
 * once as it is written, and from its beginning after a restart.
 */
export class BanLog {
  readonly #parts: BanLogParts;
  readonly #inotify: Inotify;
  /** Which file has been read, and how far. */
  #inode = 0;
  #offset = 0;
  #rest = "";

  /** Its directory is there. Throws SysError when it cannot be watched. */
  constructor(parts: BanLogParts) {
    this.#parts = parts;
    this.#inotify = new Inotify();
    try {
      this.#inotify.watch(dirname(parts.path), IN.MODIFY | IN.CREATE | IN.MOVED_TO);
    } catch (error) {
      this.#inotify.close();
      throw error;
    }
    this.#read();
    parts.reactor.add(this.#inotify.fd, READABLE, () => this.#changed());
  }

  /** Tell everybody. What cannot be told is in force here all the same. */
  tell(bans: readonly Ban[]): void {
    try {
      const lines = bans.map((one) => `${JSON.stringify(one)}\n`).join("");
      appendFileSync(this.#parts.path, lines, { mode: 0o600 });
    } catch (error) {
      this.#parts.failed("ban", error);
    }
  }

  /**
   * Only these are still of use. For one worker alone; what others write to the old file while it is
   * replaced is told again.
   */
  async compact(bans: readonly Ban[]): Promise<void> {
    const { path, failed } = this.#parts;
    try {
      const fd = openSync(path, "r");
      const from = this.#offset;
      try {
        await replaceFile(path, bans.map((one) => `${JSON.stringify(one)}\n`).join(""));
        const late = Buffer.alloc(STEP);
        const n = readSync(fd, late, 0, STEP, from);
        if (n > 0) appendFileSync(path, late.subarray(0, n));
      } finally {
        closeSync(fd);
      }
    } catch (error) {
      failed("compact bans", error);
    }
  }

  /** How much there is to be read after a restart. */
  get bytes(): number {
    return this.#offset;
  }

  close(): void {
    this.#parts.reactor.remove(this.#inotify.fd);
    this.#inotify.close();
  }

  #changed(): void {
    const name = basename(this.#parts.path);
    let ours = false;
    for (let events; (events = this.#inotify.read()).length > 0;)
      ours ||= events.some((event) => event.name === name || (event.mask & IN.Q_OVERFLOW) !== 0);
    if (ours) this.#read();
  }

  #read(): void {
    const { path, failed } = this.#parts;
    if (statSync(path, { throwIfNoEntry: false }) === undefined) return;
    try {
      const fd = openSync(path, "r");
      try {
        const { ino } = fstatSync(fd);
        if (ino !== this.#inode) {
          this.#inode = ino;
          this.#parts.anew();
          this.#offset = 0;
          this.#rest = "";
        }
        const bytes = Buffer.alloc(STEP);
        for (let n; (n = readSync(fd, bytes, 0, STEP, this.#offset)) > 0;) {
          this.#offset += n;
          this.#take(bytes.toString("latin1", 0, n));
        }
      } finally {
        closeSync(fd);
      }
    } catch (error) {
      failed("read bans", error);
    }
  }

  #take(text: string): void {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) {
      const read = v.safeParse(ban, parsed(line));
      if (read.success) this.#parts.heard(read.output);
    }
  }
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(Buffer.from(line, "latin1").toString("utf8"));
  } catch {
    return undefined; // half a line, of a disk that was full
  }
}
