import { FFIType, toArrayBuffer } from "bun:ffi";

import { errno, SysError } from "./errno.ts";
import { openLibc } from "./libc.ts";
import { pointer } from "./memory.ts";
import { close } from "./socket.ts";

const libc = openLibc({
  memfd_create: { args: ["cstring", "u32"], returns: "i32" },
  ftruncate: { args: ["i32", "i64"], returns: "i32" },
  mmap: { args: ["ptr", "usize", "i32", "i32", "i32", "i64"], returns: FFIType.i64_fast },
});

const MFD_CLOEXEC = 1;
const PROT_READ = 1;
const PROT_WRITE = 2;
const MAP_SHARED = 1;

/**
 * Memory of zeros that other processes may have as well: whoever is given the descriptor maps it
 * (`mapShared`). Pages are taken from the system when first written. Throws SysError.
 */
export function makeShared(name: string, bytes: number): number {
  const fd = libc.memfd_create(Buffer.from(`${name}\0`), MFD_CLOEXEC);
  if (fd < 0) throw new SysError("memfd_create", errno(), name);
  if (libc.ftruncate(fd, bytes) === 0) return fd;
  const why = errno();
  close(fd);
  throw new SysError("ftruncate", why, `${bytes} bytes`);
}

/** See the memory behind `fd`, until this process ends. Throws SysError. */
export function mapShared(fd: number, bytes: number): ArrayBuffer {
  const at = Number(libc.mmap(pointer(0), bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
  if (at < 0) throw new SysError("mmap", errno(), `fd ${fd}`);
  return toArrayBuffer(pointer(at), 0, bytes);
}
