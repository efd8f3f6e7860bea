import { type Pointer, read } from "bun:ffi";

import { openLibc } from "./libc.ts";

/** Linux numbers (asm-generic/errno*.h), the same on x86-64 and arm64. */
const NAMES = {
  1: "EPERM",
  2: "ENOENT",
  3: "ESRCH",
  4: "EINTR",
  5: "EIO",
  6: "ENXIO",
  7: "E2BIG",
  9: "EBADF",
  11: "EAGAIN",
  12: "ENOMEM",
  13: "EACCES",
  14: "EFAULT",
  16: "EBUSY",
  17: "EEXIST",
  18: "EXDEV",
  19: "ENODEV",
  20: "ENOTDIR",
  21: "EISDIR",
  22: "EINVAL",
  23: "ENFILE",
  24: "EMFILE",
  26: "ETXTBSY",
  27: "EFBIG",
  28: "ENOSPC",
  29: "ESPIPE",
  30: "EROFS",
  31: "EMLINK",
  32: "EPIPE",
  36: "ENAMETOOLONG",
  38: "ENOSYS",
  39: "ENOTEMPTY",
  40: "ELOOP",
  61: "ENODATA",
  71: "EPROTO",
  75: "EOVERFLOW",
  88: "ENOTSOCK",
  90: "EMSGSIZE",
  92: "ENOPROTOOPT",
  93: "EPROTONOSUPPORT",
  95: "EOPNOTSUPP",
  97: "EAFNOSUPPORT",
  98: "EADDRINUSE",
  99: "EADDRNOTAVAIL",
  100: "ENETDOWN",
  101: "ENETUNREACH",
  103: "ECONNABORTED",
  104: "ECONNRESET",
  105: "ENOBUFS",
  106: "EISCONN",
  107: "ENOTCONN",
  110: "ETIMEDOUT",
  111: "ECONNREFUSED",
  113: "EHOSTUNREACH",
  114: "EALREADY",
  115: "EINPROGRESS",
  122: "EDQUOT",
} as const;
export type Errno = (typeof NAMES)[keyof typeof NAMES];

// glibc and musl both name it so; errno lives at one address per thread.
const { __errno_location } = openLibc({ __errno_location: { args: [], returns: "ptr" } });
const HERE = __errno_location() as Pointer;

/** Number of the last libc failure. Ask at once, before anything else can call libc. */
export function errnoNumber(): number {
  return read.i32(HERE, 0);
}

/** Why the last libc call failed. Ask at once, before anything else can call libc. */
export function errno(): Errno | `errno ${number}` {
  return errnoName(read.i32(HERE, 0));
}

/** What a number is called, as SO_ERROR gives it. */
export function errnoName(n: number): Errno | `errno ${number}` {
  return n in NAMES ? NAMES[n as keyof typeof NAMES] : `errno ${n}`;
}

/** A system call that failed in a way its caller has no plan for. */
export class SysError extends Error {
  override name = "SysError";
  constructor(
    readonly call: string,
    readonly code: string,
    readonly on: string,
    options?: ErrorOptions,
  ) {
    super(`${call} ${on}: ${code}`, options);
  }
}
