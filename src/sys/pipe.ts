import { errno, SysError } from "./errno.ts";
import { openLibc } from "./libc.ts";
import { block, pointer } from "./memory.ts";

const libc = openLibc({
  pipe2: { args: ["ptr", "i32"], returns: "i32" },
  fcntl: { args: ["i32", "i32", "i32"], returns: "i32" },
});

/** O_NONBLOCK | O_CLOEXEC. */
const FLAGS = 0o2004000;
const F_SETPIPE_SZ = 1031;
const F_GETPIPE_SZ = 1032;

/** Both ends of a pipe, non-blocking and close-on-exec, and how many bytes it holds. */
export interface Pipe {
  readonly reader: number;
  readonly writer: number;
  readonly size: number;
}

const ends = block(8);

/**
 * A pipe of `size` bytes, or of as many as this user may have (pipe(7), pipe-user-pages-soft).
 * Undefined when there are no files left. Throws SysError for anything else.
 */
export function makePipe(size: number): Pipe | undefined {
  if (libc.pipe2(pointer(ends.at), FLAGS) < 0) {
    const why = errno();
    if (why === "EMFILE" || why === "ENFILE") return undefined;
    throw new SysError("pipe2", why, "");
  }
  const reader = ends.view.getInt32(0, true);
  const writer = ends.view.getInt32(4, true);
  libc.fcntl(writer, F_SETPIPE_SZ, size); // EPERM: it stays as the kernel made it
  return { reader, writer, size: libc.fcntl(writer, F_GETPIPE_SZ, 0) };
}
