import { constants, openSync } from "node:fs";

import { errno, SysError } from "./errno.ts";
import { openLibc } from "./libc.ts";
import { block, pointer } from "./memory.ts";

const libc = openLibc({ fcntl: { args: ["i32", "i32", "ptr"], returns: "i32" } });

const F_OFD_GETLK = 36;
const F_OFD_SETLK = 37;
const F_OFD_SETLKW = 38;
const F_WRLCK = 1;
const F_UNLCK = 2;
const O_CLOEXEC = 0o2000000;

/**
 * Locks of single bytes of the file behind a descriptor (fcntl(2), open file description locks). The
 * file is opened anew for them, and no program that is started inherits that: so the kernel takes
 * them back with this process, however it ends, and with nothing else. Throws SysError.
 */
export class RecordLocks {
  readonly #fd: number;
  // struct flock: 0 type, 2 whence (0: from the beginning), 8 start, 16 length, 24 pid (0, as it has to be)
  readonly #record = block(32);

  constructor(fd: number) {
    this.#fd = openSync(`/proc/self/fd/${fd}`, constants.O_RDWR | O_CLOEXEC);
  }

  /** Wait for the lock of byte `at`; to be held for moments only. */
  wait(at: number): void {
    while (!this.#ask(F_OFD_SETLKW, F_WRLCK, at)); // EINTR
  }

  /** Take it when nobody else has it. */
  take(at: number): boolean {
    return this.#ask(F_OFD_SETLK, F_WRLCK, at);
  }

  release(at: number): void {
    this.#ask(F_OFD_SETLK, F_UNLCK, at);
  }

  /** Whether another process has it. */
  isTaken(at: number): boolean {
    this.#ask(F_OFD_GETLK, F_WRLCK, at);
    return this.#record.view.getInt16(0, true) !== F_UNLCK;
  }

  #ask(command: number, type: number, at: number): boolean {
    const { view } = this.#record;
    view.setInt16(0, type, true);
    view.setInt16(2, 0, true);
    view.setBigInt64(8, BigInt(at), true);
    view.setBigInt64(16, 1n, true);
    view.setInt32(24, 0, true);
    if (libc.fcntl(this.#fd, command, pointer(this.#record.at)) === 0) return true;
    const why = errno();
    if (why === "EAGAIN" || why === "EACCES" || why === "EINTR") return false;
    throw new SysError("fcntl", why, `fd ${this.#fd}`);
  }
}
