/**
 * Files of a tree on disk. Opening and stat are synchronous, as in nginx: a warm one takes a
 * microsecond or two, a trip to the thread pool thirty.
 */
import {
  closeSync,
  constants,
  type Dirent,
  fstatSync,
  openSync,
  realpathSync,
  type Stats,
  statSync,
} from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";

import type { Entry, Facts, Opened, Origin } from "./origin.ts";
import { pathOfDescriptor, type Refusal, type Tree } from "./tree.ts";

/** O_NONBLOCK: should a FIFO take the file's place after the check, opening it must not hang. */
const FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;
/** stat(2) calls of one listing at a time. */
const BATCH = 64;

export function disk(tree: Tree): Origin {
  return {
    open: (path) => open(tree, path),
    facts(path) {
      if (tree.admits(path)) return undefined;
      const stats = statOf(tree.lexical(path));
      return typeof stats === "object" && stats.isFile() ? factsOf(stats) : undefined;
    },
    list: (path) => list(tree, path),
    moved: () => tree.refresh(),
  };
}

function open(tree: Tree, path: string): Opened | "directory" | Refusal {
  const refused = tree.admits(path);
  if (refused) return refused;
  // A regular file has no slash behind it.
  if (path.endsWith("/")) return "missing";
  const lexical = tree.lexical(path);
  const before = statOf(lexical);
  if (typeof before === "string") return before;
  if (!before.isFile() && !before.isDirectory()) return "missing";

  const fd = openFile(lexical);
  if (typeof fd === "string") return fd;
  let keep = false;
  try {
    const stats = fstatSync(fd);
    const real = pathOfDescriptor(fd) ?? realpathSync(lexical);
    const wayOut = tree.refuses(lexical, real);
    if (wayOut) return wayOut;
    if (stats.isDirectory()) return "directory";
    if (!stats.isFile()) return "missing";
    keep = true;
    return { kind: "file", fd, ...factsOf(stats) };
  } finally {
    if (!keep) closeSync(fd);
  }
}

async function list(tree: Tree, path: string): Promise<Entry[] | undefined> {
  const at = tree.locate(path);
  if (typeof at === "string" || at.real === undefined || !at.stats?.isDirectory()) return undefined;
  const found = await readdir(at.real, { withFileTypes: true }).catch(() => undefined);
  const entries: Entry[] = [];
  for (let i = 0; found && i < found.length; i += BATCH) {
    const shown = found.slice(i, i + BATCH).map((one) => entry(tree, path, one));
    for (const one of await Promise.all(shown)) if (one) entries.push(one);
  }
  return found && entries;
}

/** Undefined for what a request for it would not be sent either. */
async function entry(tree: Tree, directory: string, found: Dirent): Promise<Entry | undefined> {
  const { name, parentPath } = found;
  if (tree.admits(directory + name)) return undefined;
  let real: string | undefined = join(parentPath, name);
  // Only a link can lead elsewhere than its directory, which has been checked.
  if (found.isSymbolicLink()) {
    const at = tree.locate(directory + name);
    real = typeof at === "string" ? undefined : at.real;
  }
  const stats = real === undefined ? undefined : await stat(real).catch(() => undefined);
  if (!stats?.isFile() && !stats?.isDirectory()) return undefined;
  return { name, directory: stats.isDirectory(), size: stats.size, mtimeMs: stats.mtimeMs };
}

/** Facts of a regular file. */
export function factsOf(stats: Stats): Facts {
  const { dev, ino, size, mtimeMs, ctimeMs } = stats;
  return { size, mtimeMs, identity: `${dev}:${ino}:${size}:${mtimeMs}:${ctimeMs}` };
}

function statOf(path: string): Stats | Refusal {
  try {
    return statSync(path, { throwIfNoEntry: false }) ?? "missing";
  } catch (error) {
    return refusalFor(error);
  }
}

function openFile(path: string): number | Refusal {
  try {
    return openSync(path, FLAGS);
  } catch (error) {
    return refusalFor(error);
  }
}

/** What a stranger may cause by asking; anything else is thrown on. */
const REFUSALS: Readonly<Record<string, Refusal>> = {
  ENOENT: "missing",
  ENOTDIR: "missing",
  ENAMETOOLONG: "missing",
  ELOOP: "missing",
  ENXIO: "missing",
  EINVAL: "missing",
  EACCES: "denied",
  EPERM: "denied",
};

function refusalFor(error: unknown): Refusal {
  const refusal = REFUSALS[(error as NodeJS.ErrnoException).code ?? ""];
  if (refusal === undefined) throw error;
  return refusal;
}
