import { createHash } from "node:crypto";

import { unifiedDiff } from "../core/text-diff.ts";
import { difference } from "./edit.ts";
import { showPath } from "./key-path.ts";
import { masked } from "./mask.ts";

/** How one text of a config differs from another. */
export interface ConfigDiff {
  /** Values that are not the same: `pools.app.hosts[1].state`. None when only comments differ. */
  readonly changed: readonly string[];
  /** As `diff -u` prints it, secrets masked; "" when the texts are the same. */
  readonly diff: string;
}

/** Compare two texts, the first of which may be no good YAML. */
export function configDiff(
  before: string,
  after: string,
  names: readonly [string, string],
): ConfigDiff {
  const marked = (text: string): string => masked(text, mark);
  return {
    changed: changedPaths(before, after),
    diff: unifiedDiff(marked(before), marked(after), names, (line) => line.replaceAll(MARK, "")),
  };
}

/** A secret that was changed is a line that was changed, though both are shown alike. */
const MARK = /\0[0-9a-f]{64}\0/g;

function mark(secret: string): string {
  return `\0${createHash("sha256").update(secret).digest("hex")}\0`;
}

function changedPaths(before: string, after: string): string[] {
  try {
    return [...new Set(difference(before, after).map(({ path }) => showPath(path)))];
  } catch {
    return []; // one of them is no YAML: the lines have to do
  }
}
