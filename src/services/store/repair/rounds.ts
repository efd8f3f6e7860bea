import type { Clock } from "../../../core/clock.ts";
import type { Log } from "../../../observe/log.ts";
import type { Shelf } from "../shelf.ts";
import { Pace } from "./pace.ts";
import type { Standings } from "./standings.ts";
import { PARTITIONS } from "./survey.ts";
import { add, emptyTally, type Tally } from "./tally.ts";
import { type Duty, type Known, visit } from "./visit.ts";

export interface RepairParts {
  readonly shelves: readonly Shelf[];
  readonly clock: Clock;
  readonly log: Log;
  /** Where it remembers how far it is. */
  readonly directory: string;
  readonly standings: Standings;
  /** `interval` in milliseconds; `rate` in bytes a second. */
  readonly scrub: { readonly interval: number; readonly rate: number };
  /** Longest time that a member is away and comes back as it was. Milliseconds. */
  readonly outage: number;
  /** Keys are targets as they were sent. */
  readonly raw: boolean;
  /** This process does it; the others only go by the book of standings. */
  readonly works: () => boolean;
}

/** Visits of partitions, by whoever pays them, and what they have found all together. */
export class Rounds {
  readonly parts: RepairParts;
  /** Since the start, whatever was only looked at aside. */
  readonly total = emptyTally();
  /** Of each partition, as it was when it was last looked at. */
  readonly #owed: Uint32Array;
  readonly #lost: Uint32Array;

  constructor(parts: RepairParts) {
    this.parts = parts;
    this.#owed = new Uint32Array(this.partitions);
    this.#lost = new Uint32Array(this.partitions);
  }

  /** Of all stages together. */
  get partitions(): number {
    return this.parts.shelves.length * PARTITIONS;
  }
  /** Copies owed, and names without a whole copy. */
  get missing(): { readonly owed: number; readonly lost: number } {
    const sum = (all: Uint32Array): number => all.reduce((a, b) => a + b, 0);
    return { owed: sum(this.#owed), lost: sum(this.#lost) };
  }
  /** Milliseconds since 1970, as the stages have it. */
  get wall(): number {
    return this.parts.shelves[0]?.common.wall() ?? 0;
  }

  /** The `index`th of all partitions; undefined: its stage is not there. */
  stageOf(index: number): Shelf | undefined {
    return this.parts.shelves[Math.floor(index / PARTITIONS)];
  }

  async visit(shelf: Shelf, partition: number, duty: Duty, known?: Known): Promise<Tally> {
    const tally = await visit(shelf, partition, duty, known);
    if (duty.dry === true) return tally;
    add(this.total, tally);
    if (duty.only !== undefined) return tally;
    const index = this.parts.shelves.indexOf(shelf) * PARTITIONS + partition;
    this.#owed[index] = tally.owed;
    this.#lost[index] = tally.lost;
    return tally;
  }

  /** What every visit has to know. */
  duty(signal: AbortSignal): Pick<Duty, "forgetBefore" | "raw" | "signal"> {
    return { forgetBefore: this.wall - this.parts.outage, raw: this.parts.raw, signal };
  }

  /** `rate` in bytes a second. */
  pace(rate: number, signal: AbortSignal): Pace {
    const { clock } = this.parts;
    return new Pace(
      rate,
      () => clock.now(),
      (ms) => clock.sleep(ms, signal),
    );
  }
}
