import { FFIType } from "bun:ffi";

import { errno, SysError } from "./errno.ts";
import { openLibc } from "./libc.ts";
import { block, pointer } from "./memory.ts";
import { close } from "./socket.ts";

const libc = openLibc({
  inotify_init1: { args: ["i32"], returns: "i32" },
  inotify_add_watch: { args: ["i32", "cstring", "u32"], returns: "i32" },
  inotify_rm_watch: { args: ["i32", "i32"], returns: "i32" },
  read: { args: ["i32", "ptr", "usize"], returns: FFIType.i64_fast },
});

const NONBLOCK_CLOEXEC = 0o2004000; // IN_NONBLOCK | IN_CLOEXEC

/** What can be watched for, and what an event says (inotify(7)). A set of bits. */
export const IN = {
  MODIFY: 0x2,
  ATTRIB: 0x4,
  CLOSE_WRITE: 0x8,
  MOVED_FROM: 0x40,
  MOVED_TO: 0x80,
  CREATE: 0x100,
  DELETE: 0x200,
  DELETE_SELF: 0x400,
  MOVE_SELF: 0x800,
  /** Only told: the file system went away. */
  UNMOUNT: 0x2000,
  /** Only told, with `wd` -1: events were lost. Everything watched may have changed. */
  Q_OVERFLOW: 0x4000,
  /** Only told: this watch is gone (removed, or the file is). */
  IGNORED: 0x8000,
  /** Only asked: fail unless the path is a directory. */
  ONLYDIR: 0x1000000,
  /** Only asked: a symbolic link is refused with ELOOP. */
  DONT_FOLLOW: 0x2000000,
  /** Only asked: no events for files already unlinked. */
  EXCL_UNLINK: 0x4000000,
  /** Only told: the subject is a directory. */
  ISDIR: 0x40000000,
} as const;

export interface Event {
  /** Which watch; -1 when the queue overflowed. */
  readonly wd: number;
  readonly mask: number;
  /** Joins MOVED_FROM to its MOVED_TO. */
  readonly cookie: number;
  /** Which file of a watched directory; "" for the watched thing itself. Bytes that are not UTF-8 become U+FFFD. */
  readonly name: string;
}

// struct inotify_event { int wd; u32 mask; u32 cookie; u32 len; char name[len]; }, name padded with NULs
const HEADER = 16;

/** Room for some hundred events; at least one fits, as a name has at most 255 bytes. */
const BUFFER = 16 * 1024;

/** inotify(7), non-blocking. `fd` is readable when `read` has something to tell. */
export class Inotify {
  readonly fd: number;
  readonly #buffer = block(BUFFER);

  constructor() {
    this.fd = libc.inotify_init1(NONBLOCK_CLOEXEC);
    if (this.fd < 0) throw new SysError("inotify_init1", errno(), "");
  }

  /**
   * Watch `path` for the bits of `mask`. The same file again gives the same number and the new
   * mask. Throws SysError; ENOSPC means fs.inotify.max_user_watches is reached.
   */
  watch(path: string, mask: number): number {
    const wd = libc.inotify_add_watch(this.fd, path, mask);
    if (wd < 0) throw new SysError("inotify_add_watch", errno(), path);
    return wd;
  }

  /** Stop watching. One that the kernel dropped already (IN.IGNORED) is no error. */
  unwatch(wd: number): void {
    if (libc.inotify_rm_watch(this.fd, wd) === 0) return;
    const why = errno();
    if (why !== "EINVAL") throw new SysError("inotify_rm_watch", why, `fd ${this.fd}`);
  }

  /** Some of the waiting events, oldest first; empty when there are none. Call until it is empty. */
  read(): Event[] {
    const n = Number(libc.read(this.fd, pointer(this.#buffer.at), BUFFER));
    if (n >= 0) return parseEvents(this.#buffer.bytes.subarray(0, n));
    const why = errno();
    if (why === "EAGAIN" || why === "EINTR") return [];
    throw new SysError("read", why, `fd ${this.fd}`);
  }

  close(): void {
    close(this.fd);
  }
}

const text = new TextDecoder();

/** The events in `bytes`; a last one that is not whole is left out (the kernel never sends one). */
export function parseEvents(bytes: Uint8Array): Event[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const events: Event[] = [];
  for (let at = 0; at + HEADER <= bytes.length;) {
    const end = at + HEADER + view.getUint32(at + 12, true);
    if (end > bytes.length) break;
    const padded = bytes.subarray(at + HEADER, end);
    const length = padded.indexOf(0);
    events.push({
      wd: view.getInt32(at, true),
      mask: view.getUint32(at + 4, true),
      cookie: view.getUint32(at + 8, true),
      name: text.decode(length < 0 ? padded : padded.subarray(0, length)),
    });
    at = end;
  }
  return events;
}
