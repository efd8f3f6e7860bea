import type { NamePath } from "./name-path.ts";
import type { Entries } from "./outcome.ts";

/**
 * Proves that something is not there. `owner` is what stands for `name` in an outcome, `closest`
 * the node of the closest encloser, and `left` how many labels of `name` are below that. Proofs are
 * added each once.
 */
export interface Denial {
  /** `node` is there under `name`, but not with this type; or it is a cut without DS. */
  noData(name: NamePath, node: number, owner: number, into: Entries): void;
  /** Neither `name` is there nor a wildcard for it. */
  noName(name: NamePath, owner: number, closest: number, left: number, into: Entries): void;
  /** `name` is not there, so a wildcard answered for it. */
  expanded(name: NamePath, closest: number, left: number, into: Entries): void;
  /** As `expanded`, but the wildcard, node `wildcard`, has no such type. */
  expandedNoData(
    name: NamePath,
    owner: number,
    closest: number,
    left: number,
    wildcard: number,
    into: Entries,
  ): void;
}
