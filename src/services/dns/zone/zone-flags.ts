import { TYPE } from "../../../wire/dns/types.ts";
import { APEX } from "./name-tree.ts";
import { NODES_A_TURN } from "./record-gatherer.ts";
import type { RecordStore } from "./record-store.ts";
import { FLAG } from "./zone.ts";

/** The flags of every node, in turns. Parents come before children, so what is above is known. */
export function* markNodes(store: RecordStore): Generator<void, Uint8Array, void> {
  const { names } = store;
  const flags = new Uint8Array(names.size);
  for (let node = 0; node < names.size; node++) {
    if (node % NODES_A_TURN === NODES_A_TURN - 1) yield;
    const parent = names.parent(node);
    const isWildcard = names.isWildcard(node);
    const above = node === APEX ? 0 : (flags[parent] as number);
    let mine = above & (FLAG.CUT | FLAG.DNAME | FLAG.OCCLUDED) ? FLAG.OCCLUDED : 0;
    for (let set = store.firstSet(node); set < store.firstSet(node + 1); set++) {
      const type = store.type(set);
      if (type === TYPE.DNAME) mine |= FLAG.DNAME;
      else if (type === TYPE.CNAME) mine |= FLAG.CNAME;
      // NS at a wildcard delegates nothing (RFC 4592, 4.2 leaves it open).
      else if (type === TYPE.NS && node !== APEX && !isWildcard && !(mine & FLAG.OCCLUDED))
        mine |= FLAG.CUT;
    }
    flags[node] = mine;
    if (isWildcard) flags[parent] = above | FLAG.WILDCARD;
  }
  return flags;
}
