/**
 * Names for what is not yet, or no longer, part of the tree: uploads and copies being made, and
 * trees being deleted. They start with the tree's own prefix, so nothing ever shows them.
 */
import { randomBytes } from "node:crypto";
import { join } from "node:path";

import { OWN_PREFIX } from "../tree.ts";

export type Purpose = "put" | "copy" | "gone";

/** A fresh path in `directory`. It tells which process made it. */
export function temporaryPath(directory: string, purpose: Purpose): string {
  const name = `${OWN_PREFIX}${purpose}-${process.pid}-${randomBytes(8).toString("hex")}`;
  return join(directory, name);
}

const NAME = /^\.tern-(?:put|copy|gone)-(\d{1,10})-[0-9a-f]{16}$/;

/** Process that made this name; undefined when it is no such name. */
export function makerOf(name: string): number | undefined {
  const pid = NAME.exec(name)?.[1];
  return pid === undefined ? undefined : Number(pid);
}
