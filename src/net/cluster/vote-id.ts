import { createHash } from "node:crypto";

import { VOTE_ID_LENGTH } from "../../wire/cluster/ballot.ts";
import { keyOf, type Target } from "../health/check.ts";

/**
 * What nodes vote on: they mean the same target when they look at the same place in the same way,
 * however often and however patiently each of them does.
 */
export function voteId({ host, port, check }: Target): string {
  const one = { ...check, interval: 0, timeout: 0, rise: 0, fall: 0 };
  const key = keyOf({ host, port, check: one });
  return createHash("sha256").update(key).digest("base64url").slice(0, VOTE_ID_LENGTH);
}
