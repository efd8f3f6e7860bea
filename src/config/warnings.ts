import { isScalar } from "yaml";

import type { Problem } from "./problem.ts";
import { isPasswordHash, isWholeHash } from "./secret.ts";
import type { Source } from "./source.ts";
import { walk } from "./walk.ts";

const CUT_SHORT =
  "this hash is not whole: no password will fit it; make one with `tern hash-password`";

/** What is allowed and surely not meant. */
export function warningsIn(source: Source): Problem[] {
  const warnings: Problem[] = [];
  for (const step of walk(source.document)) {
    const { node } = step;
    if (!isScalar(node) || typeof node.value !== "string" || !node.range) continue;
    if (!isPasswordHash(node.value) || isWholeHash(node.value)) continue;
    warnings.push(source.problemAt(node.range[0], step.path(), CUT_SHORT));
  }
  return warnings;
}
