/**
 * Who can be chosen, in columns: an index is a server, and a choice allocates nothing. Whoever
 * keeps the servers writes; schedulers read.
 */
export interface Slate {
  /** Those in question now: the first `count` are their indexes, ascending. */
  readonly candidates: Uint16Array;
  count: number;
  /** Weights as the operator gave them. */
  readonly shares: Float64Array;
  /** The same, less while a server warms up; above 0 for every candidate. */
  readonly weights: Float64Array;
  /** Connections that are with it now. */
  readonly open: Int32Array;
  /** When a connection of it last ended, as a number that grows; 0: never. */
  readonly left: Float64Array;
  /** Hash of its address: the same in every process, in whatever order the servers are. */
  readonly keys: Uint32Array;
  /** Not 0: not this time (it was tried, or is full). */
  readonly blocked: Uint8Array;
}

/** No server. */
export const NONE = -1;

/** From 0 up to 1. */
export type Dice = () => number;

/** A way to choose one of the candidates. It may keep what it needs between two choices. */
export interface Scheduler {
  /** The candidates or their shares are others than before; `weights` may change without it. */
  reset(slate: Slate): void;
  /** The index of a candidate that is not blocked, or NONE. `hash` is the client's, 32 bits. */
  choose(slate: Slate, hash: number, dice: Dice): number;
}

/** Columns for so many servers, all of it 0. */
export function emptySlate(size: number): Slate {
  return {
    candidates: new Uint16Array(size),
    count: 0,
    shares: new Float64Array(size),
    weights: new Float64Array(size),
    open: new Int32Array(size),
    left: new Float64Array(size),
    keys: new Uint32Array(size),
    blocked: new Uint8Array(size),
  };
}
