import { errno, SysError } from "./errno.ts";
import { openLibc } from "./libc.ts";
import { block, pointer } from "./memory.ts";

const libc = openLibc({ clock_gettime: { args: ["i32", "ptr"], returns: "i32" } });

const CLOCK_MONOTONIC = 1;

/**
 * Milliseconds by the clock that all processes of this machine have in common and that never goes
 * back (CLOCK_MONOTONIC); `performance.now()` counts the same ones from another beginning.
 */
export function monotonic(): number {
  const time = block(16); // struct timespec: 0 seconds, 8 nanoseconds
  if (libc.clock_gettime(CLOCK_MONOTONIC, pointer(time.at)) < 0)
    throw new SysError("clock_gettime", errno(), "CLOCK_MONOTONIC");
  const { view } = time;
  return Number(view.getBigInt64(0, true)) * 1000 + Number(view.getBigInt64(8, true)) / 1e6;
}
