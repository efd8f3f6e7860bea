/** Deleting a directory with all that is in it. */
import { lstat, readdir, rmdir, unlink } from "node:fs/promises";
import { join } from "node:path";

import { statusOfError } from "./failure.ts";

/** Something that would not go. */
export interface Stuck {
  readonly file: string;
  readonly status: number;
}

/** Delete `file`, a directory or not, links not followed. What cannot be deleted stays, with the directories above it. */
export async function removeTree(file: string): Promise<readonly Stuck[]> {
  const stuck: Stuck[] = [];
  await remove(file, stuck);
  return stuck;
}

async function remove(file: string, stuck: Stuck[]): Promise<void> {
  const before = stuck.length;
  try {
    if (!(await lstat(file)).isDirectory()) return await unlink(file);
    for (const name of await readdir(file)) await remove(join(file, name), stuck);
    if (stuck.length === before) await rmdir(file);
  } catch (failed) {
    if (failed instanceof Error && "code" in failed && failed.code === "ENOENT") return; // somebody was faster
    const status = statusOfError(failed);
    if (status === undefined) throw failed;
    stuck.push({ file, status });
  }
}
