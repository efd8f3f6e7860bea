import { errno, SysError } from "./errno.ts";
import { openLibc } from "./libc.ts";
import { block, pointer } from "./memory.ts";
import { close } from "./socket.ts";

const libc = openLibc({
  timerfd_create: { args: ["i32", "i32"], returns: "i32" },
  timerfd_settime: { args: ["i32", "i32", "ptr", "ptr"], returns: "i32" },
});

const CLOCK_MONOTONIC = 1;
const TFD_FLAGS = 0o2004000;
const US_PER_S = 1e6;

/**
 * An alarm clock with a descriptor (timerfd_create(2)): readable from the moment it rings until it
 * is set anew, to a few microseconds where an event loop's own timers are good to milliseconds.
 */
export class TimerFd {
  readonly fd: number;
  // struct itimerspec: 0 interval (seconds, nanoseconds)  16 first (seconds, nanoseconds)
  readonly #spec = block(32);

  constructor() {
    this.fd = libc.timerfd_create(CLOCK_MONOTONIC, TFD_FLAGS);
    if (this.fd < 0) throw new SysError("timerfd_create", errno(), "");
  }

  /** Ring once, `us` microseconds from now; 0 or less: at once; Infinity: never. */
  set(us: number): void {
    const { view } = this.#spec;
    const never = us === Infinity;
    const wait = never ? 0 : Math.max(0, us);
    view.setInt32(16, Math.floor(wait / US_PER_S), true);
    // All zeros stop it.
    view.setInt32(24, never ? 0 : Math.max(1, Math.floor((wait % US_PER_S) * 1000)), true);
    if (libc.timerfd_settime(this.fd, 0, pointer(this.#spec.at), null) < 0)
      throw new SysError("timerfd_settime", errno(), `${us} µs`);
  }

  close(): void {
    close(this.fd);
  }
}
