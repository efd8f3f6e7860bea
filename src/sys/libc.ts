import { dlopen, type FFIFunction } from "bun:ffi";

/** The C library of this machine: glibc by its one name, musl by its several. */
const NAMES = [
  "libc.so.6",
  `libc.musl-${process.arch === "arm64" ? "aarch64" : "x86_64"}.so.1`,
  `ld-musl-${process.arch === "arm64" ? "aarch64" : "x86_64"}.so.1`,
  "libc.so",
];

let found: string | undefined;

/** The name dlopen(3) finds libc under. Throws when there is none. */
export function libcPath(): string {
  found ??= NAMES.find((name) => {
    try {
      dlopen(name, { getpid: { args: [], returns: "i32" } });
      return true;
    } catch {
      return false;
    }
  });
  if (found === undefined) throw new Error(`no C library found: tried ${NAMES.join(", ")}`);
  return found;
}

/** Functions of libc. Missing symbols throw at once, with their name. */
export function openLibc<const T extends Record<string, FFIFunction>>(symbols: T) {
  return dlopen(libcPath(), symbols).symbols;
}
