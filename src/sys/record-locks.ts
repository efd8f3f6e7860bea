import { errno, SysError } from "./errno.ts";
import { openLibc } from "./libc.ts";
import { block, pointer } from "./memory.ts";

const libc = openLibc({ fcntl: { args: ["i32", "i32", "ptr"], returns: "i32" } });

const F_GETLK = 5;
const F_SETLK = 6;
const F_SETLKW = 7;
const F_WRLCK = 1;
const F_UNLCK = 2;

/**
 * Locks of single bytes of a file (fcntl(2)), which belong to this process, not to the descriptor:
 * children that inherit it have none of them, and the kernel takes them back with the process,
 * however it ends; but also when any descriptor of that file is closed here. Throws SysError.
 */
export class RecordLocks {
  readonly #fd: number;
  // struct flock: 0 type, 2 whence (0: from the beginning), 8 start, 16 length, 24 pid
  readonly #record = block(32);

  constructor(fd: number) {
    this.#fd = fd;
  }

  /** Wait for the lock of byte `at`; to be held for moments only. */
  wait(at: number): void {
    while (!this.#ask(F_SETLKW, F_WRLCK, at)); // EINTR
  }

  /** Take it when nobody else has it. */
  take(at: number): boolean {
    return this.#ask(F_SETLK, F_WRLCK, at);
  }

  release(at: number): void {
    this.#ask(F_SETLK, F_UNLCK, at);
  }

  /** Whether another process has it. */
  isTaken(at: number): boolean {
    this.#ask(F_GETLK, F_WRLCK, at);
    return this.#record.view.getInt16(0, true) !== F_UNLCK;
  }

  #ask(command: number, type: number, at: number): boolean {
    const { view } = this.#record;
    view.setInt16(0, type, true);
    view.setInt16(2, 0, true);
    view.setBigInt64(8, BigInt(at), true);
    view.setBigInt64(16, 1n, true);
    if (libc.fcntl(this.#fd, command, pointer(this.#record.at)) === 0) return true;
    const why = errno();
    if (why === "EAGAIN" || why === "EACCES" || why === "EINTR") return false;
    throw new SysError("fcntl", why, `fd ${this.#fd}`);
  }
}
