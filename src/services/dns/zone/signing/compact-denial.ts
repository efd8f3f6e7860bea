import type { Denial } from "../denial.ts";
import type { NamePath } from "../name-path.ts";
import { NONE } from "../name-tree.ts";
import { type Entries, KIND } from "../outcome.ts";

/**
 * Compact denial of existence (RFC 9824), for zones that are signed as they are asked: every name
 * is said to be there, and one NSEC made for it says which types it has. For a name that is not,
 * that is NXNAME alone. What a wildcard stands for is signed under the name asked, and needs no proof.
 */
export const compactDenial: Denial = {
  noData(_name: NamePath, node: number, owner: number, into: Entries): void {
    into.once(KIND.COMPACT, node, owner);
  },
  noName(_name: NamePath, owner: number, _closest: number, _left: number, into: Entries): void {
    into.once(KIND.COMPACT, NONE, owner);
  },
  expanded(): void {},
  expandedNoData(
    _name: NamePath,
    owner: number,
    _closest: number,
    _left: number,
    wildcard: number,
    into: Entries,
  ): void {
    into.once(KIND.COMPACT, wildcard, owner);
  },
};
