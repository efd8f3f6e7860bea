import type { NamePath } from "./name-path.ts";
import type { Entries } from "./outcome.ts";

/**
 * Proves that something is not there. `closest` is the node of the closest encloser, and `left`
 * says how many labels of `name` are below it. Proofs are added to the authority section, each once.
 */
export interface Denial {
  /** `node` is there under `name`, but not with this type; or it is a cut without DS. */
  noData(name: NamePath, node: number, into: Entries): void;
  /** Neither `name` is there nor a wildcard for it. */
  noName(name: NamePath, closest: number, left: number, into: Entries): void;
  /** `name` is not there, so a wildcard answered for it. */
  expanded(name: NamePath, closest: number, left: number, into: Entries): void;
  /** As `expanded`, but the wildcard, node `wildcard`, has no such type. */
  expandedNoData(
    name: NamePath,
    closest: number,
    left: number,
    wildcard: number,
    into: Entries,
  ): void;
}
