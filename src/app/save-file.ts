import { constants } from "node:fs";
import { access, realpath, stat } from "node:fs/promises";
import { dirname } from "node:path";

import { openDurable } from "../sys/durable.ts";

/** The file cannot be written by this process, for a reason told in words. */
export class CannotWrite extends Error {
  override name = "CannotWrite";
}

/** Who may do what with it; its kind aside. */
const PERMISSIONS = 0o7777;

/**
 * Put another text in a file that is there: whole at every moment, durable, its mode and owner
 * kept. Of a link, the file behind it. Throws CannotWrite.
 */
export async function saveFile(path: string, text: string): Promise<void> {
  try {
    const real = await realpath(path);
    const { mode, uid, gid } = await stat(real);
    // Its directory might let us replace a file that we may not write.
    await access(real, constants.W_OK);
    await using file = await openDurable(real, mode & PERMISSIONS);
    const own = await file.handle.stat();
    if (own.uid !== uid || own.gid !== gid) await file.handle.chown(uid, gid);
    await file.handle.chmod(mode & PERMISSIONS);
    await file.write(new TextEncoder().encode(text));
    await file.commit("replace");
  } catch (cause) {
    throw new CannotWrite(`cannot write ${path}: ${reason(cause, path)}`, { cause });
  }
}

function reason(error: unknown, path: string): string {
  const { code, syscall, message } = error as NodeJS.ErrnoException;
  if (code === "EPERM" && syscall === "fchown") return "its owner could not be kept";
  if (code === "EACCES" || code === "EPERM")
    return `permission denied for ${userOf()} (the file and ${dirname(path)} must be writable)`;
  if (code === "EROFS") return "it is on a read-only file system";
  if (code === "ENOSPC") return "the disk is full";
  if (code === "ENOENT") return "no such file";
  return message;
}

function userOf(): string {
  const uid = process.geteuid?.();
  return uid === 0 ? "root" : `uid ${uid}`;
}
