import { FFIType } from "bun:ffi";

import { type Errno, errno } from "./errno.ts";
import { openLibc } from "./libc.ts";
import { block, pointer } from "./memory.ts";

// By number, as musl before 1.2.5 has no statx(); the kernel has it since 4.11.
const libc = openLibc({
  syscall: {
    args: ["i64", "i32", "cstring", "i32", "u32", "ptr"],
    returns: FFIType.i64_fast,
  },
});
const SYS_statx = process.arch === "arm64" ? 291 : 332;

const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;
const AT_EMPTY_PATH = 0x1000;
const STATX_BASIC_STATS = 0x7ff;

// struct statx (linux/stat.h), the same on every machine, where struct stat is not.
const SIZE = 256;
const AT = { mode: 28, ino: 32, size: 40, ctime: 96, mtime: 112, major: 136, minor: 140 } as const;
const NANOS = 8; // struct statx_timestamp { s64 seconds; u32 nanoseconds; }

const S_IFMT = 0o170000;
const S_IFREG = 0o100000;
const S_IFDIR = 0o040000;
const S_IFLNK = 0o120000;

/**
 * The facts of one file at a time, in memory that is used again: two thirds of the time
 * node:fs takes (see README.md), and nothing for the collector. Getters speak of
 * the last call that answered "ok".
 */
export class Stat {
  readonly #block = block(SIZE);

  /** Of the file at `path`, links followed. */
  path(path: string): "ok" | Errno | `errno ${number}` {
    return this.#ask(AT_FDCWD, path, 0);
  }
  /** Of the link itself, where `path` is one. */
  link(path: string): "ok" | Errno | `errno ${number}` {
    return this.#ask(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW);
  }
  /** Of an open file. */
  fd(fd: number): "ok" | Errno | `errno ${number}` {
    return this.#ask(fd, "", AT_EMPTY_PATH);
  }

  #ask(fd: number, path: string, flags: number): "ok" | Errno | `errno ${number}` {
    // A NUL would end the path early and answer for another file.
    if (path.includes("\0")) return "ENOENT";
    const into = pointer(this.#block.at);
    const done = libc.syscall(SYS_statx, fd, path, flags, STATX_BASIC_STATS, into);
    return Number(done) < 0 ? errno() : "ok";
  }

  get isFile(): boolean {
    return (this.mode & S_IFMT) === S_IFREG;
  }
  get isDirectory(): boolean {
    return (this.mode & S_IFMT) === S_IFDIR;
  }
  get isLink(): boolean {
    return (this.mode & S_IFMT) === S_IFLNK;
  }
  /** Type and permissions. */
  get mode(): number {
    return this.#block.view.getUint16(AT.mode, true);
  }
  /** Bytes. */
  get size(): number {
    return this.#u64(AT.size);
  }
  /** Last change of the content, whole seconds since 1970; `mtimeNanos` is the rest. */
  get mtimeSeconds(): number {
    return Number(this.#block.view.getBigInt64(AT.mtime, true));
  }
  get mtimeNanos(): number {
    return this.#block.view.getUint32(AT.mtime + NANOS, true);
  }
  /** Milliseconds since 1970, as node:fs says it. */
  get mtimeMs(): number {
    return this.mtimeSeconds * 1000 + this.mtimeNanos / 1e6;
  }
  /** Which file this is and in what state: another string when anything about it has changed. */
  get identity(): string {
    const { view } = this.#block;
    const changed = `${view.getBigInt64(AT.ctime, true)}.${view.getUint32(AT.ctime + NANOS, true)}`;
    const device = `${view.getUint32(AT.major, true)}:${view.getUint32(AT.minor, true)}`;
    const inode = view.getBigUint64(AT.ino, true);
    return `${device}:${inode}:${this.size}:${this.mtimeSeconds}.${this.mtimeNanos}:${changed}`;
  }

  #u64(at: number): number {
    const { view } = this.#block;
    return view.getUint32(at, true) + view.getUint32(at + 4, true) * 2 ** 32;
  }
}
