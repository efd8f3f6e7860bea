import { FFIType } from "bun:ffi";

import { errno, SysError } from "./errno.ts";
import { openLibc } from "./libc.ts";
import { address, pointer } from "./memory.ts";

const libc = openLibc({
  mmap: { args: ["ptr", "usize", "i32", "i32", "i32", "i64"], returns: FFIType.i64_fast },
  munmap: { args: ["ptr", "usize"], returns: "i32" },
  memcpy: { args: ["ptr", "ptr", "usize"], returns: FFIType.void },
});

const PROT_READ = 1;
const PROT_WRITE = 2;
const MAP_PRIVATE = 0x2;
const MAP_ANONYMOUS = 0x20;
const MAP_NORESERVE = 0x4000;

/**
 * Memory that the garbage collector does not know of: it neither looks after it nor takes what is
 * in it for a reason to let more garbage lie. Pages are taken from the system when first written.
 */
export class Region {
  readonly bytes: number;
  #at: number;

  /** Throws SysError when there is not so much address space. */
  constructor(bytes: number) {
    this.bytes = bytes;
    const flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    this.#at = Number(libc.mmap(pointer(0), bytes, PROT_READ | PROT_WRITE, flags, -1, 0));
    if (this.#at < 0) throw new SysError("mmap", errno(), `${bytes} bytes`);
  }

  /** Copy `from[start, end)` to `offset`. */
  write(offset: number, from: Uint8Array, start: number, end: number): void {
    this.#check(offset, end - start);
    if (start < 0 || end > from.length) throw new RangeError("beyond the bytes to be written");
    libc.memcpy(pointer(this.#at + offset), pointer(address(from) + start), end - start);
  }

  /** Copy `length` bytes from `offset` to `into`, from `at` on. */
  read(offset: number, length: number, into: Uint8Array, at: number): void {
    this.#check(offset, length);
    if (at < 0 || at + length > into.length) throw new RangeError("beyond the bytes to read into");
    libc.memcpy(pointer(address(into) + at), pointer(this.#at + offset), length);
  }

  /** Give it back to the system. */
  close(): void {
    if (this.#at === 0) return;
    libc.munmap(pointer(this.#at), this.bytes);
    this.#at = 0;
  }

  /** One step beyond it would be another's memory. */
  #check(offset: number, length: number): void {
    if (this.#at === 0 || offset < 0 || length < 0 || offset + length > this.bytes)
      throw new RangeError(`${length} bytes at ${offset} of a region of ${this.bytes}`);
  }
}
