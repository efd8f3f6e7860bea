import { chmodSync, mkdirSync, statSync } from "node:fs";

import type { Log } from "../observe/log.ts";
import { Failure } from "./failure.ts";

/** Others may not look into keys, locks and journals. */
const MODE = 0o700;
const OTHERS = 0o077;

/** Make the state directory when it is missing, ours alone. Throws Failure. */
export function makeStateDir(path: string): void {
  try {
    if (mkdirSync(path, { recursive: true, mode: MODE }) !== undefined) chmodSync(path, MODE);
  } catch (cause) {
    throw new Failure(`state: cannot make ${path}: ${(cause as Error).message}`, { cause });
  }
}

/** An operator's own directory is left as it is, but not without a word. */
export function warnOfOpenState(path: string, log: Log): void {
  const { mode } = statSync(path);
  if ((mode & OTHERS) === 0) return;
  const octal = (mode & 0o777).toString(8);
  log.warn("others can look into the state directory: chmod 700", { state: path, mode: octal });
}
