/** Copying a file or a directory to a hidden name, durable before it is shown. */
import { constants, type Stats } from "node:fs";
import {
  chmod,
  copyFile,
  lstat,
  mkdir,
  open,
  readdir,
  readlink,
  stat,
  symlink,
  utimes,
} from "node:fs/promises";
import { join } from "node:path";

import { fsyncDirectory } from "../../../sys/durable.ts";
import { OWN_PREFIX } from "../tree.ts";
import { statusOfError } from "./failure.ts";
import type { Stuck } from "./remove-tree.ts";

export interface CopyRules {
  /** False copies a directory without what it holds: Depth 0. */
  readonly deep: boolean;
  /** The copy is to pass for the original: a move to another file system. */
  readonly keepTimes: boolean;
}

/**
 * Copy `from` to `to`, which must be free. Links within a directory are copied as links. Members
 * that cannot be copied are left out and told; what `from` itself or a lack of room prevents is thrown.
 */
export async function copyTree(
  from: string,
  to: string,
  rules: CopyRules,
): Promise<readonly Stuck[]> {
  const stuck: Stuck[] = [];
  await copy(from, to, await stat(from), rules, stuck);
  return stuck;
}

async function copy(
  from: string,
  to: string,
  stats: Stats,
  rules: CopyRules,
  stuck: Stuck[],
): Promise<void> {
  if (stats.isSymbolicLink()) return await symlink(await readlink(from), to);
  if (stats.isDirectory()) await copyDirectory(from, to, rules, stuck);
  else if (stats.isFile()) await copyWhole(from, to);
  else throw Object.assign(new Error(`${from} is no ordinary file`), { code: "EPERM" });
  await chmod(to, stats.mode & 0o777);
  if (rules.keepTimes) await utimes(to, stats.atimeMs / 1000, stats.mtimeMs / 1000);
}

async function copyDirectory(
  from: string,
  to: string,
  rules: CopyRules,
  stuck: Stuck[],
): Promise<void> {
  await mkdir(to);
  for (const name of rules.deep ? await readdir(from) : []) {
    if (name.startsWith(OWN_PREFIX)) continue; // somebody's upload under way
    const member = join(from, name);
    try {
      await copy(member, join(to, name), await lstat(member), rules, stuck);
    } catch (failed) {
      const status = statusOfError(failed);
      if (status === undefined || status === 507 || status === 503) throw failed;
      stuck.push({ file: member, status });
    }
  }
  await fsyncDirectory(to);
}

async function copyWhole(from: string, to: string): Promise<void> {
  await copyFile(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
  const handle = await open(to, "r+");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
