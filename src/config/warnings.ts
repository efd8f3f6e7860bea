import { isPair, isScalar, isSeq, visit } from "yaml";

import type { KeyPath } from "./key-path.ts";
import type { Problem } from "./problem.ts";
import { isPasswordHash, isWholeHash } from "./secret.ts";
import type { Source } from "./source.ts";

const CUT_SHORT =
  "this hash is not whole: no password will fit it; make one with `tern hash-password`";

/** What is allowed and surely not meant. */
export function warningsIn(source: Source): Problem[] {
  const warnings: Problem[] = [];
  visit(source.document, {
    Scalar(key, { value, range }, ancestors) {
      if (typeof value !== "string" || !range) return;
      if (!isPasswordHash(value) || isWholeHash(value)) return;
      warnings.push(source.problemAt(range[0], pathOf([...ancestors], key), CUT_SHORT));
    },
  });
  return warnings;
}

/** The keys on the way to a node; `key` is its place in the last of its ancestors. */
function pathOf(ancestors: readonly unknown[], key: unknown): KeyPath {
  const path: (string | number)[] = [];
  for (const [i, node] of ancestors.entries()) {
    if (isPair(node)) path.push(String(isScalar(node.key) ? node.key.value : node.key));
    const below = ancestors[i + 1];
    if (isSeq(node)) path.push(below === undefined ? Number(key) : node.items.indexOf(below));
  }
  return path;
}
