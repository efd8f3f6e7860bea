import { errno, SysError } from "./errno.ts";
import { openLibc } from "./libc.ts";

const libc = openLibc({ flock: { args: ["i32", "i32"], returns: "i32" } });
const LOCK_EX = 2;
const LOCK_NB = 4;
const LOCK_UN = 8;

/**
 * Take the lock of the open file `fd` for ourselves (flock(2)). "EAGAIN": somebody else has it, who
 * opened the file by himself: another process, or we. It ends with the descriptor at the latest.
 */
export function lockFile(fd: number): "locked" | "EAGAIN" {
  if (libc.flock(fd, LOCK_EX | LOCK_NB) === 0) return "locked";
  const why = errno();
  if (why === "EAGAIN") return why;
  throw new SysError("flock", why, `fd ${fd}`);
}

/** Give the lock back. */
export function unlockFile(fd: number): void {
  if (libc.flock(fd, LOCK_UN) < 0) throw new SysError("flock", errno(), `fd ${fd}`);
}
