/** How a stage finds the members for a name. */
export type PlacementKind = "md5-paper" | "md5-2to3" | "hrw-1";

/** A member as placement sees it: an address is no part of it, and may change. */
export interface Slot {
  /** Stays for ever: it decides where names go. */
  readonly id: string;
  /** Share of the names, relative to the others'. Only `hrw-1` knows it. */
  readonly weight: number;
  /** Copies go to distinct zones while there are enough; undefined: a zone of its own. */
  readonly zone: string | undefined;
}

/** What decides where the names of a stage are. It never changes once names are stored. */
export interface StageRecord {
  readonly placement: PlacementKind;
  /** Partitions of the digest: a power of 16. Only `md5-*` know it. */
  readonly region: number;
  /** Copies of each name. */
  readonly redundancy: number;
  /** In the order that indexes count. */
  readonly slots: readonly Slot[];
}

/**
 * Indexes into `slots` for a name: first the homes of its copies, then everybody else in the
 * order in which they stand in for a home that is away.
 */
export type Order = readonly number[];

/** Finds the members for a key. Pure, and made once for each stage. */
export type Placement = (key: string) => Order;

/** Copies a stage can have: no two of one name are on one member. */
export function copiesOf(stage: Pick<StageRecord, "redundancy" | "slots">): number {
  return Math.min(stage.redundancy, stage.slots.length);
}
