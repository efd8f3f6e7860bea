import { randomBytes } from "node:crypto";
import { chmodSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const BYTES = 32;

/** The key of this machine's sticky cookies, the same for all workers: made by whoever is first. */
export function stickyKey(state: string): Uint8Array {
  const file = join(state, "proxy-sticky.key");
  const known = read(file);
  if (known !== undefined) return known;
  mkdirSync(state, { recursive: true, mode: 0o700 });
  const mine = `${file}.${process.pid}`;
  writeFileSync(mine, randomBytes(BYTES), { mode: 0o600 });
  chmodSync(mine, 0o600);
  try {
    linkSync(mine, file); // whole, or not at all; another worker may have been faster
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  } finally {
    rmSync(mine, { force: true });
  }
  const made = read(file);
  if (made === undefined) throw new Error(`${file}: expected ${BYTES} bytes`);
  return made;
}

function read(file: string): Uint8Array | undefined {
  try {
    const bytes = readFileSync(file);
    return bytes.length === BYTES ? bytes : undefined;
  } catch {
    return undefined; // there is none yet
  }
}
