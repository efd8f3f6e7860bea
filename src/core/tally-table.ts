/**
 * Counts that several processes keep together in one piece of memory, without a word between them.
 * Each process has a seat, each name a row; a process writes to its own cell of a row alone, so that
 * what one has counted that was killed is what stands in its column.
 *
 *     header     Int32 x 16              what layout this is; seats and rows in use
 *     names      BigInt64 x ROWS         a hash of the row's name
 *     moments    BigInt64 x ROWS         a rate's: see SharedRate
 *     cells      Int32 x ROWS x SEATS    COUNTED, and how many
 */
import { hashText } from "./schedulers/hash.ts";

/** As many processes as a config may ask for; a row of cells is a page. */
export const SEATS = 1024;
export const ROWS = 4096;
/** The first four bytes, once somebody has sat down: what is where, and means what. */
export const LAYOUT = 0x7e_51_00_01;
const HEADER = 64;
const MOMENTS = HEADER + ROWS * 8;
const CELLS = MOMENTS + ROWS * 8;
/** Bytes of the memory; pages that nobody counts in are never touched. */
export const TALLY_BYTES = CELLS + ROWS * SEATS * 4;

/** Words of the header. */
const LAYOUT_AT = 0;
const SEATS_AT = 1;
const ROWS_AT = 2;

/** In a cell: whoever sits there wants the row to stay, even with a count of 0. */
const COUNTED = 2 ** 30;

/** What keeps processes from sitting on one another. */
export interface SeatKeeper {
  /** Do this while nobody else does. */
  alone<T>(run: () => T): T;
  /** Sit down, for as long as this process lives. False: somebody sits there. */
  sit(seat: number): boolean;
  /** Whether the process that sat down there lives. */
  sits(seat: number): boolean;
}

/** The memory, as one process sees it from its seat. */
export class TallyTable {
  readonly seat: number;
  readonly #keeper: SeatKeeper;
  readonly #header: Int32Array;
  readonly #names: BigInt64Array;
  readonly #moments: BigInt64Array;
  readonly #cells: Int32Array;

  private constructor(seat: number, keeper: SeatKeeper, views: Views) {
    this.seat = seat;
    this.#keeper = keeper;
    this.#header = views.header;
    this.#names = views.names;
    this.#moments = views.moments;
    this.#cells = views.cells;
  }

  /** Sit down at `memory`, which begins as zeros. Undefined: every seat is taken. */
  static join(memory: ArrayBufferLike, keeper: SeatKeeper): TallyTable | undefined {
    const views = viewsOf(memory);
    const { header } = views;
    return keeper.alone(() => {
      header[LAYOUT_AT] = LAYOUT;
      for (let seat = 0; seat < SEATS; seat++) {
        if (!keeper.sit(seat)) continue;
        const table = new TallyTable(seat, keeper, views);
        table.#clear(seat);
        Atomics.store(header, SEATS_AT, Math.max(seat + 1, Atomics.load(header, SEATS_AT)));
        return table;
      }
      return undefined;
    });
  }

  /** The row of a name, found or made; it stays until `drop`. Undefined: there are too many. */
  row(name: string): number | undefined {
    const hash = hashOf(name);
    return this.#keeper.alone(() => {
      const used = this.#header[ROWS_AT] as number;
      let free = used;
      for (let row = 0; row < used; row++) {
        const kept = this.#isKept(row);
        if (kept && this.#names[row] === hash) return this.#keep(row);
        if (!kept && free === used) free = row;
      }
      if (free === ROWS) return undefined;
      if (free === used) this.#header[ROWS_AT] = used + 1;
      this.#names[free] = hash;
      this.#moments[free] = 0n;
      return this.#keep(free);
    });
  }

  /** Nothing is counted in this row from here any more. */
  drop(row: number): void {
    Atomics.store(this.#cells, row * SEATS + this.seat, 0);
  }

  /** Add to what is counted here. */
  add(row: number, n: number): void {
    Atomics.add(this.#cells, row * SEATS + this.seat, n);
  }

  /** At all seats together. */
  sum(row: number): number {
    const seats = Atomics.load(this.#header, SEATS_AT);
    let sum = 0;
    for (let at = row * SEATS, end = at + seats; at < end; at++)
      sum += Atomics.load(this.#cells, at) & ~COUNTED;
    return sum;
  }

  moment(row: number): bigint {
    return Atomics.load(this.#moments, row);
  }

  /** From `was` to `next`; false when somebody else has changed it meanwhile. */
  moveMoment(row: number, was: bigint, next: bigint): boolean {
    return Atomics.compareExchange(this.#moments, row, was, next) === was;
  }

  /** Take from it, whatever it is. */
  turnBack(row: number, by: bigint): void {
    Atomics.sub(this.#moments, row, by);
  }

  /** What those have counted who died is counted no more. */
  sweep(): void {
    this.#keeper.alone(() => {
      const seats = this.#header[SEATS_AT] as number;
      for (let seat = 0; seat < seats; seat++)
        if (seat !== this.seat && !this.#keeper.sits(seat)) this.#clear(seat);
    });
  }

  #keep(row: number): number {
    const at = row * SEATS + this.seat;
    if (this.#cells[at] === 0) Atomics.store(this.#cells, at, COUNTED);
    return row;
  }

  #isKept(row: number): boolean {
    const seats = this.#header[SEATS_AT] as number;
    for (let at = row * SEATS, end = at + seats; at < end; at++)
      if (this.#cells[at] !== 0) return true;
    return false;
  }

  #clear(seat: number): void {
    const used = this.#header[ROWS_AT] as number;
    for (let row = 0; row < used; row++) Atomics.store(this.#cells, row * SEATS + seat, 0);
  }
}

interface Views {
  readonly header: Int32Array;
  readonly names: BigInt64Array;
  readonly moments: BigInt64Array;
  readonly cells: Int32Array;
}

function viewsOf(memory: ArrayBufferLike): Views {
  return {
    header: new Int32Array(memory, 0, HEADER / 4),
    names: new BigInt64Array(memory, HEADER, ROWS),
    moments: new BigInt64Array(memory, MOMENTS, ROWS),
    cells: new Int32Array(memory, CELLS, ROWS * SEATS),
  };
}

/** 64 bits, of two hashes that begin differently. */
function hashOf(name: string): bigint {
  const both = (BigInt(hashText(name)) << 32n) | BigInt(hashText(`\u0000${name}`));
  return BigInt.asIntN(64, both);
}
