import { openSync, readSync } from "node:fs";

import { bodyAt } from "./record.ts";

/** Read first of each file: most are not longer. */
const FIRST = Buffer.alloc(64 * 1024);

/** The beginning of a file, up to its body at least; good until the next one is read. */
export function noteOf(fd: number): Buffer {
  const got = readSync(fd, FIRST, 0, FIRST.length, 0);
  const bytes = FIRST.subarray(0, got);
  const at = bodyAt(bytes);
  if (at === undefined || at <= got) return bytes;
  const more = Buffer.alloc(at);
  return more.subarray(0, readSync(fd, more, 0, at, 0));
}

/** Open a file to read; undefined when there is none. Throws node:fs's other errors. */
export function openIfThere(path: string): number | undefined {
  try {
    return openSync(path, "r");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
