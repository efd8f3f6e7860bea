import { CString, dlopen, type Pointer, ptr } from "bun:ffi";

import type { PasswordKind } from "../core/password-kind.ts";
import { libcPath } from "./libc.ts";

/** libxcrypt by its two names; musl has crypt(3) in its C library, and so had old ones. */
const NAMES: readonly (() => string)[] = [() => "libcrypt.so.1", () => "libcrypt.so.2", libcPath];

/** A setting of each kind, as cheap as there is. */
const SETTINGS: Readonly<Partial<Record<PasswordKind, string>>> = {
  bcrypt: `$2b$04$${"s".repeat(21)}u`,
  yescrypt: "$y$j75$saltsaltsaltsalt$",
  sha512crypt: "$6$rounds=1000$salt$",
  sha256crypt: "$5$rounds=1000$salt$",
  md5crypt: "$1$salt$",
  des: "sa",
};

type Crypt = (phrase: Pointer, setting: Pointer) => Pointer | null;

let found: Crypt | undefined;

/**
 * crypt(3): the hash of a password under a setting, which may be a whole hash of before. Undefined
 * when this machine's library does not know that kind of hash, or has no crypt at all. Blocks for
 * as long as the hash is meant to take: microseconds for DES, tens of milliseconds for yescrypt.
 */
export function crypt(password: string, setting: string): string | undefined {
  // libc would see less of it than there is.
  if (password.includes("\0") || setting.includes("\0")) return undefined;
  found ??= open();
  // Named, so that both live for as long as libc reads them.
  const phrase = text(password);
  const salt = text(setting);
  const hash = found(ptr(phrase), ptr(salt));
  if (hash === null) return undefined;
  const made = new CString(hash).toString();
  return made.startsWith("*") ? undefined : made; // crypt(3): "*0" and "*1" are failures
}

/** Does the C library of this machine know that kind of hash? */
export function canCrypt(kind: PasswordKind): boolean {
  const setting = SETTINGS[kind];
  return setting !== undefined && crypt("a password", setting)?.startsWith(setting) === true;
}

function open(): Crypt {
  for (const name of NAMES) {
    try {
      const { crypt } = dlopen(name(), { crypt: { args: ["ptr", "ptr"], returns: "ptr" } }).symbols;
      // Into the library's own memory, good until the next call.
      return (phrase, setting) => crypt(phrase, setting) as Pointer | null;
    } catch {
      continue; // not by this name
    }
  }
  return () => null;
}

function text(value: string): Uint8Array {
  const bytes = new Uint8Array(new ArrayBuffer(Buffer.byteLength(value) + 1)); // and the NUL
  bytes.set(Buffer.from(value));
  return bytes;
}
