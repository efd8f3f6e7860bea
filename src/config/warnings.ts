import { isScalar } from "yaml";

import { passwordKind, weakness } from "../core/password-kind.ts";
import type { Problem } from "./problem.ts";
import type { RootConfig } from "./root.ts";
import { isPasswordHash } from "./secret.ts";
import type { Source } from "./source.ts";
import { walk } from "./walk.ts";

const MAKE = "make one with `tern hash-password`";
const CUT_SHORT = `this hash is not whole: no password will fit it; ${MAKE}`;

/** What is allowed and surely not meant. */
export function warningsIn(source: Source, root: RootConfig): Problem[] {
  const warnings: Problem[] = [];
  for (const step of walk(source.document)) {
    const { node } = step;
    if (!isScalar(node) || typeof node.value !== "string" || !node.range) continue;
    if (!isPasswordHash(node.value) || passwordKind(node.value) !== undefined) continue;
    warnings.push(source.problemAt(node.range[0], step.path(), CUT_SHORT));
  }
  for (const [i, { password }] of root.admin.users.entries()) {
    const kind = passwordKind(password.reveal());
    const why = kind && weakness(kind);
    if (why !== undefined)
      warnings.push(source.problem(["admin", "users", i, "password"], "value", `${why}; ${MAKE}`));
  }
  return warnings;
}
