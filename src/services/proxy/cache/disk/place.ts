import { mkdirSync } from "node:fs";
import { join } from "node:path";

/**
 * Where in the cache's directory a response is: `ab/cdef0123456789ab`, by the hash of its place. Two
 * places of one hash take turns: what is found says whose it is.
 */
export function fileOf(place: string): string {
  const name = Bun.hash.xxHash64(place).toString(16).padStart(16, "0");
  return `${name.slice(0, 2)}/${name.slice(2)}`;
}

/** Every directory there may be. */
export function directories(root: string): string[] {
  return Array.from({ length: 256 }, (_, i) => join(root, i.toString(16).padStart(2, "0")));
}

/** Where files are written before they get their names. */
export const NEW = "new";

/** Make them. Throws node:fs's errors. */
export function makeDirectories(root: string): void {
  for (const directory of [join(root, NEW), ...directories(root)])
    mkdirSync(directory, { recursive: true, mode: 0o700 });
}

/** What the name of a file that `fileOf` made looks like, without its directory. */
export const FILE_NAME = /^[0-9a-f]{14}$/;
