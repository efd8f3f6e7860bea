import { closeSync, existsSync, openSync, renameSync, rmSync, statSync } from "node:fs";

/** A rotation takes milliseconds; a lock older than this was left by a process that died in one. */
const STALE_MS = 30_000;

/**
 * Make `path` the newest of its old files (`path.1`, the one before `path.2`, … `path.KEEP`) if it
 * is still the file with this `inode`. Any number of processes may ask at once: one does it, under
 * a lock file, and the others see a new inode. False when it was not done; try again later.
 */
export function rotate(path: string, inode: bigint, keep: number, now: number): boolean {
  const lock = `${path}.lock`;
  if (!acquire(lock, now)) return false;
  try {
    // Somebody may have done it while we came here.
    if (statSync(path, { bigint: true }).ino !== inode) return false;
    shift(path, keep);
    return true;
  } catch {
    return false; // the directory is gone or not ours any more: the file stays as it is
  } finally {
    rmSync(lock, { force: true });
  }
}

/** Move every file one up, so that none is overwritten but the oldest, when there are KEEP. */
function shift(path: string, keep: number): void {
  if (keep === 0) return rmSync(path);
  for (let n = keep + 1; existsSync(`${path}.${n}`); n++) rmSync(`${path}.${n}`); // `keep` was larger
  let free = 1;
  while (free < keep && existsSync(`${path}.${free}`)) free++;
  for (let n = free; n > 1; n--) renameSync(`${path}.${n - 1}`, `${path}.${n}`);
  renameSync(path, `${path}.1`);
}

function acquire(lock: string, now: number): boolean {
  if (create(lock)) return true;
  const seen = statSync(lock, { bigint: true, throwIfNoEntry: false });
  if (!seen || now - Number(seen.mtimeMs) < STALE_MS) return false;
  // Two may judge it stale. Each takes away under a name of its own what it finds, and only the
  // one that found the stale lock goes on; the other one gives up this time.
  const aside = `${lock}.${process.pid}`;
  try {
    renameSync(lock, aside);
    const same = statSync(aside, { bigint: true }).ino === seen.ino;
    rmSync(aside);
    return same && create(lock);
  } catch {
    return false;
  }
}

function create(lock: string): boolean {
  try {
    closeSync(openSync(lock, "wx", 0o600)); // nothing in it: a full disk can still be rotated
    return true;
  } catch {
    return false;
  }
}
