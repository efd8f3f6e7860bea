import { FFIType } from "bun:ffi";

import { errno } from "./errno.ts";
import { openLibc } from "./libc.ts";
import { pointer } from "./memory.ts";
import { AGAIN, GONE } from "./socket.ts";

const libc = openLibc({
  splice: { args: ["i32", "ptr", "i32", "ptr", "usize", "u32"], returns: FFIType.i64_fast },
});

/** SPLICE_F_MOVE | SPLICE_F_NONBLOCK. */
const FLAGS = 3;
const HERE = pointer(0);

/**
 * splice(2) from a socket into a pipe or from a pipe into a socket: bytes moved, maybe fewer than
 * `length`; 0 at the end of the stream; AGAIN: nothing there, or no room; GONE.
 */
export function splice(from: number, to: number, length: number): number {
  const n = Number(libc.splice(from, HERE, to, HERE, length, FLAGS));
  if (n >= 0) return n;
  const why = errno();
  return why === "EAGAIN" || why === "EINTR" ? AGAIN : GONE;
}
