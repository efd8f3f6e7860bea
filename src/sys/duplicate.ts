import { errno, SysError } from "./errno.ts";
import { openLibc } from "./libc.ts";

const libc = openLibc({ fcntl: { args: ["i32", "i32", "i64"], returns: "i32" } });

const F_DUPFD_CLOEXEC = 1030;

/** Another descriptor of the same file or socket, close-on-exec; each is closed for itself. Throws SysError. */
export function duplicate(fd: number): number {
  const other = libc.fcntl(fd, F_DUPFD_CLOEXEC, 0);
  if (other < 0) throw new SysError("fcntl", errno(), `fd ${fd}`);
  return other;
}
