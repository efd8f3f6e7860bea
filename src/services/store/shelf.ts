/** A stage as it runs: its members, and who of them has a name's copies. */
import type { Clock } from "../../core/clock.ts";
import type { Log } from "../../observe/log.ts";
import type { BlockCache } from "./block-cache/block-cache.ts";
import type { Lifetimes } from "./expiry.ts";
import type { FileCache } from "./file-cache.ts";
import { Haste } from "./haste.ts";
import type { Hints } from "./hints/hints.ts";
import type { Layout, Name, Places } from "./names.ts";
import type { Locks } from "./path-locks.ts";
import { placementOf } from "./placement/placement.ts";
import { copiesOf, type Placement, type StageRecord } from "./placement/stage.ts";
import type { Seat } from "./seat.ts";
import type { Usage } from "./usage/usage.ts";

/** What all stages of a store share. */
export interface Common {
  readonly layout: Layout;
  readonly locks: Locks;
  readonly hints: Hints;
  readonly log: Log;
  readonly clock: Clock;
  /** Milliseconds since 1970. */
  readonly wall: () => number;
  /** Word of this process in the stamps it makes. */
  readonly writer: string;
  /** Share of a member that stays free, from 0 to 1. */
  readonly freeFloor: number;
  /** How much is stored; undefined: nobody counts. */
  readonly usage?: Usage;
  /** How long files stay; undefined: for ever. */
  readonly lifetime?: Lifetimes;
  /** Small files that were read of late; undefined: none are remembered. */
  readonly cache?: FileCache | undefined;
  /** Blocks of what came from other machines, on a disk of this one; undefined: none are kept. */
  readonly blockCache?: BlockCache | undefined;
}

/** Which members, by id, take no copies any more: their share goes to others. */
export interface Standing {
  readonly out: ReadonlySet<string>;
  /** Those who took none before, while copies are being moved; undefined: all are where they belong. */
  readonly before: ReadonlySet<string> | undefined;
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
  /** How long blocks take of late. */
  readonly haste: Haste;
  readonly #placement: Placement;
  #standing: Standing = { out: new Set(), before: undefined };
  #present: (name: Name) => Seat[];
  #former: ((name: Name) => Seat[]) | undefined;
  #last: { readonly name: Name; readonly places: Places } | undefined;
  /** Changes of names that have not ended, whether or not they have been answered. */
  readonly #busy = new Set<Promise<unknown>>();

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
    this.haste = new Haste(common.clock);
    this.#placement = placementOf(record);
    this.#present = this.homesWithout(this.#standing.out);
  }

  /** Every member for a name: the homes of its copies first, then who stands in for them. */
  order(name: Name): Seat[] {
    const all = this.#all(name);
    if (this.#standing.out.size === 0) return all;
    const homes = this.homes(name);
    return [...homes, ...all.filter((seat) => !homes.includes(seat))];
  }

  /** Where its copies belong. */
  homes(name: Name): Seat[] {
    return this.#present(name);
  }

  /** Who may have a copy: its homes, and those it had before until it has been moved. */
  readers(name: Name): Seat[] {
    const homes = this.homes(name);
    if (this.#former === undefined) return homes;
    return [...homes, ...this.#former(name).filter((seat) => !homes.includes(seat))];
  }

  /** As many answers of so many readers as meet every acknowledged write. */
  quorumOf(readers: number): number {
    return readers - this.writeQuorum + 1;
  }

  get standing(): Standing {
    return this.#standing;
  }

  set standing(next: Standing) {
    this.#standing = next;
    this.#present = this.homesWithout(next.out);
    this.#former = next.before && this.homesWithout(next.before);
  }

  /** Where copies belong when the members of these ids take none. */
  homesWithout(out: ReadonlySet<string>): (name: Name) => Seat[] {
    if (out.size === 0) return (name) => this.#all(name).slice(0, this.copies);
    // Indexes mean something in md5-*: those who are out are passed by. In hrw-1 zones do.
    if (this.bare)
      return (name) =>
        this.#all(name)
          .filter(({ id }) => !out.has(id))
          .slice(0, this.copies);
    const left = this.seats.filter(({ id }) => !out.has(id));
    const slots = this.record.slots.filter(({ id }) => !out.has(id));
    const placement = placementOf({ ...this.record, slots });
    return ({ key }) =>
      placement(key)
        .flatMap((index) => left[index] ?? [])
        .slice(0, this.copies);
  }

  #all(name: Name): Seat[] {
    return this.#placement(name.key).flatMap((index) => this.seats[index] ?? []);
  }

  places(name: Name): Places {
    const last = this.#last;
    // A request asks again and again for the same one, each time with a hash.
    if (last?.name.key === name.key && last.name.path === name.path) return last.places;
    const places = this.common.layout.places(name);
    this.#last = { name, places };
    return places;
  }

  /** A name is changed until `turn` ends. */
  busy(turn: Promise<unknown>): void {
    this.#busy.add(turn);
    const over = (): void => void this.#busy.delete(turn);
    turn.then(over, over);
  }

  /** Members end; it resolves when nobody changes a name any more. */
  async close(): Promise<void> {
    for (const { member } of this.seats) member.close();
    await Promise.allSettled(this.#busy);
  }
}
