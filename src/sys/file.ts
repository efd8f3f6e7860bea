import { FFIType } from "bun:ffi";

import { type Errno, errno, SysError } from "./errno.ts";
import { openLibc } from "./libc.ts";
import { block, pointer } from "./memory.ts";
import { close } from "./socket.ts";

const libc = openLibc({
  open: { args: ["cstring", "i32", "i32"], returns: "i32" },
  openat: { args: ["i32", "cstring", "i32", "i32"], returns: "i32" },
  pread: { args: ["i32", "ptr", "usize", "i64"], returns: FFIType.i64_fast },
  syscall: { args: ["i64", "i32", "cstring", "ptr", "u64"], returns: FFIType.i64_fast },
});

const arm = process.arch === "arm64";
/** open(2) flags. DIRECTORY, NOFOLLOW and DIRECT have other numbers on arm64 (asm/fcntl.h). */
export const O = {
  RDONLY: 0,
  WRONLY: 0o1,
  RDWR: 0o2,
  CREAT: 0o100,
  EXCL: 0o200,
  NOCTTY: 0o400,
  TRUNC: 0o1000,
  APPEND: 0o2000,
  NONBLOCK: 0o4000,
  DIRECT: arm ? 0o200000 : 0o40000,
  DIRECTORY: arm ? 0o40000 : 0o200000,
  NOFOLLOW: arm ? 0o100000 : 0o400000,
  CLOEXEC: 0o2000000,
  PATH: 0o10000000,
  /** A file without a name; includes DIRECTORY. */
  TMPFILE: 0o20000000 | (arm ? 0o40000 : 0o200000),
} as const;

/** What opening answers when it does not open: the reason, for the caller to judge. */
export type Refused = Errno | `errno ${number}`;

/** Open `path`, always close-on-exec. `mode` is for O.CREAT. Half the time of node:fs openSync. */
export function open(path: string, flags: number, mode = 0): number | Refused {
  // A NUL would end the path early and open another file.
  if (path.includes("\0")) return "ENOENT";
  const fd = libc.open(path, flags | O.CLOEXEC, mode);
  return fd < 0 ? errno() : fd;
}

/** Read up to `length` bytes at `offset` to the address `at`. 0 is the end of the file. */
export function pread(fd: number, at: number, length: number, offset: number): number {
  const n = Number(libc.pread(fd, pointer(at), length, offset));
  if (n >= 0) return n;
  throw new SysError("pread", errno(), `fd ${fd}`);
}

const SYS_openat2 = 437; // one number on every machine
const RESOLVE_NO_MAGICLINKS = 0x02;
const RESOLVE_NO_SYMLINKS = 0x04;
const RESOLVE_BENEATH = 0x08;
const how = block(24); // struct open_how { u64 flags, mode, resolve; }

/** The kernel says EAGAIN when a rename elsewhere made ".." uncertain; it seldom does so twice. */
const TRIES = 8;

/**
 * Open `path` under the directory `root` (a descriptor) so that no "..", absolute path or symbolic
 * link leads out of it, whatever others rename meanwhile: EXDEV is an attempt to leave. `links`:
 * may symbolic links inside be followed (ELOOP otherwise). Not for creating.
 *
 * Before Linux 5.6, or where a sandbox forbids openat2, links are refused either way.
 */
export function openBeneath(
  root: number,
  path: string,
  flags: number,
  links: "follow" | "refuse",
): number | Refused {
  if (path.includes("\0")) return "ENOENT";
  how.view.setBigUint64(0, BigInt(flags | O.CLOEXEC), true);
  const never = links === "refuse" ? RESOLVE_NO_SYMLINKS : 0;
  how.view.setUint32(16, RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | never, true);
  let why: Refused = "EAGAIN";
  for (let i = 0; i < TRIES && why === "EAGAIN"; i++) {
    const fd = Number(libc.syscall(SYS_openat2, root, path, pointer(how.at), 24));
    if (fd >= 0) return fd;
    why = errno();
  }
  return why === "ENOSYS" || why === "EPERM" ? openStepwise(root, path, flags) : why;
}

/** The same without openat2: one directory at a time, never through a link and never up. */
export function openStepwise(root: number, path: string, flags: number): number | Refused {
  if (path.includes("\0")) return "ENOENT";
  if (path.startsWith("/")) return "EXDEV";
  const steps = path.split("/").filter((step) => step !== "" && step !== ".");
  const last = steps.pop() ?? ".";
  if (last === ".." || steps.includes("..")) return "EXDEV";

  let at = root;
  const go = (step: string, wanted: number): number | Refused => {
    const fd = libc.openat(at, step, wanted | O.NOFOLLOW | O.CLOEXEC, 0);
    const result = fd < 0 ? errno() : fd;
    if (at !== root) close(at);
    return result;
  };
  for (const step of steps) {
    const next = go(step, O.PATH | O.DIRECTORY);
    if (typeof next === "string") return next;
    at = next;
  }
  const ends = path.endsWith("/") ? O.DIRECTORY : 0;
  return go(last, flags | ends);
}
