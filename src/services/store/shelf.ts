/** A stage as it runs: its members, and who of them has a name's copies. */
import type { Log } from "../../observe/log.ts";
import type { Hints } from "./hints/hints.ts";
import type { Layout, Name, Places } from "./names.ts";
import type { PathLocks } from "./path-locks.ts";
import { placementOf } from "./placement/placement.ts";
import { copiesOf, type Placement, type StageRecord } from "./placement/stage.ts";
import type { Seat } from "./seat.ts";

/** What all stages of a store share. */
export interface Common {
  readonly layout: Layout;
  readonly locks: PathLocks;
  readonly hints: Hints;
  readonly log: Log;
  /** Milliseconds since 1970. */
  readonly wall: () => number;
  /** Word of this process in the stamps it makes. */
  readonly writer: string;
  /** Share of a member that stays free, from 0 to 1. */
  readonly freeFloor: number;
}

export class Shelf {
  readonly number: number;
  readonly record: StageRecord;
  /** Copies of every name. */
  readonly copies: number;
  /** Copies on disk before a client hears that its file is kept. */
  readonly writeQuorum: number;
  /** As many answers as meet every acknowledged write. */
  readonly readQuorum: number;
  /** Data without records are files too. */
  readonly bare: boolean;
  readonly seats: readonly Seat[];
  readonly common: Common;
  readonly #placement: Placement;

  constructor(
    number: number,
    record: StageRecord,
    writeQuorum: number,
    seats: readonly Seat[],
    common: Common,
  ) {
    this.number = number;
    this.record = record;
    this.copies = copiesOf(record);
    this.writeQuorum = Math.min(writeQuorum, this.copies);
    this.readQuorum = this.copies - this.writeQuorum + 1;
    this.bare = record.placement !== "hrw-1";
    this.seats = seats;
    this.common = common;
    this.#placement = placementOf(record);
  }

  /** Every member for a name: the homes of its copies first, then who stands in for them. */
  order(name: Name): Seat[] {
    return this.#placement(name.key).flatMap((index) => this.seats[index] ?? []);
  }

  /** Where its copies belong. */
  homes(name: Name): Seat[] {
    return this.order(name).slice(0, this.copies);
  }

  places(name: Name): Places {
    return this.common.layout.places(name);
  }

  close(): void {
    for (const { member } of this.seats) member.close();
  }
}
