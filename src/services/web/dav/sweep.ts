/** Deleting what killed processes left behind: half uploads, half copies, trees half deleted. */
import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";

import { removeTree } from "./remove-tree.ts";
import { makerOf } from "./temporary.ts";

/** So long after its last change something may still be in use by a process this machine does not see (a container beside this one). */
export const STALE_MS = 10 * 60_000;
/** After so long its number belongs to another process. */
export const ANCIENT_MS = 24 * 3600_000;

export interface Sweep {
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Does a process with this number run here? */
  readonly alive: (pid: number) => boolean;
  readonly signal: AbortSignal;
}

export interface Swept {
  readonly removed: readonly string[];
  /** Left by dead processes, but not for long enough. */
  readonly young: readonly string[];
}

/** Walk the tree from `root`, links not followed. What cannot be read is passed over. */
export async function sweep(root: string, rules: Sweep): Promise<Swept> {
  const removed: string[] = [];
  const young: string[] = [];
  const folders = [root];
  for (let at = folders.pop(); at !== undefined && !rules.signal.aborted; at = folders.pop()) {
    const entries = await readdir(at, { withFileTypes: true }).catch(() => []);
    for (const entry of entries) {
      const path = join(at, entry.name);
      const maker = makerOf(entry.name);
      if (maker !== undefined) await judge(path, maker, rules, removed, young);
      else if (entry.isDirectory()) folders.push(path);
    }
  }
  return { removed, young };
}

async function judge(
  path: string,
  maker: number,
  rules: Sweep,
  removed: string[],
  young: string[],
): Promise<void> {
  const stats = await lstat(path).catch(() => undefined); // its maker may just have finished
  if (!stats) return;
  // A rename changes ctime, writing changes both: the later one is the last sign of life.
  const age = rules.now() - Math.max(stats.mtimeMs, stats.ctimeMs);
  if (age <= ANCIENT_MS && rules.alive(maker)) return;
  if (age <= STALE_MS) {
    young.push(path);
    return;
  }
  const stuck = await removeTree(path);
  if (stuck.length === 0) removed.push(path);
}
