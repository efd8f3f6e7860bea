/** How many of those that vote it takes: more than half, or so many. */
export type Quorum = "majority" | number;

/** Votes needed among so many voters: a quorum of more than there are is all of them. */
export function needed(quorum: Quorum, voters: number): number {
  return quorum === "majority" ? Math.floor(voters / 2) + 1 : Math.min(quorum, voters);
}
