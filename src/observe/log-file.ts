import {
  type BigIntStats,
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  openSync,
  statSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";

import { rotate } from "./rotate.ts";

export interface LogFileOptions {
  /** Bytes after which the file is put aside; 0 is never. */
  readonly rotate: number;
  /** How many old files stay, `path.1` being the newest. */
  readonly keep: number;
  /** Told of lines that could not be written (a full disk, a directory gone), and why. */
  readonly onDropped?: (lines: number, why: string) => void;
}

/** No line waits longer than this in memory. */
const FLUSH_MS = 1000;
/** Written out at once beyond this many characters. */
const FLUSH_CHARS = 64 * 1024;
/** A write of at most this many bytes to a pipe is not mixed with another process's (pipe(7)). */
const PIPE_BUF = 4096;

const NEWLINE = 0x0a;

/**
 * A file that lines are appended to, by any number of processes at once: O_APPEND and whole lines
 * in one write(2), which Linux does not mix on a regular file. Each notices before it writes when
 * another one has rotated the file. Nothing here throws or waits: what cannot be written is
 * dropped and told (`onDropped`), and the next flush tries again.
 *
 * `path` "-" is standard output, never rotated.
 */
export class LogFile {
  readonly #path: string;
  readonly #options: LogFileOptions;
  #open: { readonly fd: number; readonly is: BigIntStats } | undefined;
  #pending = "";
  #timer: ReturnType<typeof setTimeout> | undefined;
  #torn = false;
  #problem: string | undefined;

  constructor(path: string, options: LogFileOptions) {
    this.#path = path;
    this.#options = options;
    this.#renew();
  }

  /** Why the file cannot be written, when it cannot. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** `text` is one or more whole lines, newline included. On disk within a second. */
  write(text: string): void {
    this.#pending += text;
    if (this.#pending.length >= FLUSH_CHARS) return this.flush();
    this.#timer ??= setTimeout(() => this.flush(), FLUSH_MS).unref();
  }

  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#pending === "") return;
    const bytes = Buffer.from(this.#pending);
    this.#pending = "";

    this.#follow();
    if (!this.#open) return this.#drop(bytes, this.#problem ?? "not open");
    this.#append(this.#open.fd, bytes, this.#open.is.isFile() ? bytes.length : PIPE_BUF);
    this.#rotateWhenFull();
  }

  /** Close and open again by name, for SIGUSR1: somebody has moved the file away. */
  reopen(): void {
    this.flush();
    this.#renew();
  }

  close(): void {
    this.flush();
    this.#shut();
  }

  /** Make sure that what is open is what the name stands for, where that can be had. */
  #follow(): void {
    if (this.#open && !this.#open.is.isFile()) return;
    const named = this.#named();
    if (this.#open && named?.ino === this.#open.is.ino && named.dev === this.#open.is.dev) return;
    this.#renew();
    // Moved away and no new one can be made (the rights were dropped): the old one still takes
    // lines. Deleted, it would only swallow them.
    if (this.#problem === undefined || !this.#open) return;
    if (fstatSync(this.#open.fd).nlink === 0) this.#shut();
  }

  #named(): BigIntStats | undefined {
    try {
      return statSync(this.#path, { bigint: true, throwIfNoEntry: false });
    } catch {
      return undefined;
    }
  }

  /** Open by name; what was open is closed only when that worked. */
  #renew(): void {
    try {
      const fd = open(this.#path);
      const old = this.#open;
      this.#open = { fd, is: fstatSync(fd, { bigint: true }) };
      this.#problem = undefined;
      if (old) shut(old.fd);
    } catch (failed) {
      this.#problem = reason(failed);
    }
  }

  #shut(): void {
    if (this.#open) shut(this.#open.fd);
    this.#open = undefined;
  }

  /** Write whole lines in runs of at most `most` bytes (a longer line goes alone). */
  #append(fd: number, bytes: Uint8Array, most: number): void {
    for (let from = 0; from < bytes.length;) {
      const run = bytes.subarray(from, endOfRun(bytes, from, most));
      let done = 0;
      try {
        if (this.#torn) writeSync(fd, "\n"); // end the line that a full disk cut short
        this.#torn = false;
        while (done < run.length) done += writeSync(fd, run, done);
      } catch (failed) {
        this.#torn ||= done > 0 && run[done - 1] !== NEWLINE;
        return this.#drop(bytes.subarray(from + done), reason(failed));
      }
      from += run.length;
    }
    this.#problem = undefined;
  }

  #rotateWhenFull(): void {
    const { rotate: most, keep } = this.#options;
    if (!this.#open?.is.isFile() || most === 0 || this.#path === "-") return;
    if (fstatSync(this.#open.fd).size < most) return;
    rotate(this.#path, this.#open.is.ino, keep, Date.now());
    this.#follow();
  }

  #drop(bytes: Uint8Array, why: string): void {
    let lines = 0;
    for (const byte of bytes) if (byte === NEWLINE) lines++;
    this.#problem = why;
    this.#options.onDropped?.(lines, why);
  }
}

const STDOUT = 1;

function open(path: string): number {
  if (path === "-") return STDOUT;
  mkdirSync(dirname(path), { recursive: true, mode: 0o750 });
  // O_NONBLOCK: a named pipe nobody reads is refused (ENXIO) instead of stopping the world.
  const { O_WRONLY, O_APPEND, O_CREAT, O_NONBLOCK, O_NOCTTY } = constants;
  return openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_NOCTTY, 0o640);
}

function shut(fd: number): void {
  if (fd !== STDOUT) closeSync(fd);
}

/** End of the last whole line within `most` bytes, or of the first line when that is longer. */
function endOfRun(bytes: Uint8Array, from: number, most: number): number {
  if (bytes.length - from <= most) return bytes.length;
  const last = bytes.lastIndexOf(NEWLINE, from + most - 1);
  if (last >= from) return last + 1;
  const next = bytes.indexOf(NEWLINE, from);
  return next < 0 ? bytes.length : next + 1;
}

function reason(failed: unknown): string {
  return failed instanceof Error ? failed.message : String(failed);
}
