import type { TallyTable } from "../../core/tally-table.ts";
import { Count } from "./count.ts";
import { Rate } from "./rate.ts";
import { OwnRow, type Row, TogetherRow } from "./row.ts";
import type { Watch } from "./watch.ts";

/** How often it is asked who is still alive, while there seem to be too many. */
const SWEEP_MS = 250;

export interface TalliesParts {
  /** Undefined: there is nobody to count together with, or no memory for it. */
  readonly table: TallyTable | undefined;
  /** How many processes there are. */
  readonly of: number;
  /** As performance.now(), good to some milliseconds. */
  readonly now: () => number;
  /** From that to the time of all processes. Milliseconds. */
  readonly offset: number;
  readonly watch: Watch;
}

interface Held<T> {
  readonly value: T;
  holders: number;
}

/** What the workers of this machine count together, by name. */
export class Tallies {
  readonly #parts: TalliesParts;
  readonly #counts = new Map<string, Held<Count>>();
  readonly #rates = new Map<string, Held<Rate>>();
  #sweepAt = 0;

  constructor(parts: TalliesParts) {
    this.#parts = parts;
    parts.table?.sweep();
  }

  /** The same for all who ask for this name, in this process and the others; each closes it. */
  count(name: string): Count {
    return hold(
      this.#counts,
      name,
      (row, close) => new Count(row, () => this.#doubt(), close),
      () => this.#row(`count ${name}`),
    );
  }

  /** The same for all who ask for this name, in this process and the others; each closes it. */
  rate(name: string): Rate {
    const { offset } = this.#parts;
    return hold(
      this.#rates,
      name,
      (row, close) => new Rate(row, offset, close),
      () => this.#row(`rate ${name}`),
    );
  }

  /** Call `look` every few milliseconds, until the answer is called: others tell nobody when they count less. */
  watch(look: () => void): () => void {
    return this.#parts.watch(look);
  }

  #row(name: string): Row {
    const { table, of } = this.#parts;
    if (table === undefined) return new OwnRow(of);
    const row = table.row(name);
    return row === undefined ? new OwnRow(of) : new TogetherRow(table, row);
  }

  /** Are all alive who count? */
  #doubt(): void {
    const now = this.#parts.now();
    if (now < this.#sweepAt) return;
    this.#sweepAt = now + SWEEP_MS;
    this.#parts.table?.sweep();
  }
}

function hold<T>(
  all: Map<string, Held<T>>,
  name: string,
  make: (row: Row, close: () => void) => T,
  rowOf: () => Row,
): T {
  const known = all.get(name);
  if (known !== undefined) {
    known.holders++;
    return known.value;
  }
  const row = rowOf();
  const held: Held<T> = {
    holders: 1,
    value: make(row, () => {
      if (--held.holders > 0) return;
      all.delete(name);
      row.drop();
    }),
  };
  all.set(name, held);
  return held.value;
}
