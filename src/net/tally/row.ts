import type { TallyTable } from "../../core/tally-table.ts";

/** One thing that is counted, and a moment that belongs to it. */
export interface Row {
  /** How many processes count it by themselves, each its part of what all may have; 1: together. */
  readonly apart: number;
  add(n: number): void;
  /** Here and elsewhere. */
  sum(): number;
  moment(): bigint;
  moveMoment(was: bigint, next: bigint): boolean;
  turnBack(by: bigint): void;
  drop(): void;
}

/** Counted together with other processes. */
export class TogetherRow implements Row {
  readonly apart = 1;
  readonly #table: TallyTable;
  readonly #row: number;

  constructor(table: TallyTable, row: number) {
    this.#table = table;
    this.#row = row;
  }

  add(n: number): void {
    this.#table.add(this.#row, n);
  }
  sum(): number {
    return this.#table.sum(this.#row);
  }
  moment(): bigint {
    return this.#table.moment(this.#row);
  }
  moveMoment(was: bigint, next: bigint): boolean {
    return this.#table.moveMoment(this.#row, was, next);
  }
  turnBack(by: bigint): void {
    this.#table.turnBack(this.#row, by);
  }
  drop(): void {
    this.#table.drop(this.#row);
  }
}

/** Counted by this process for itself: it is alone, or there are more names than rows. */
export class OwnRow implements Row {
  readonly apart: number;
  #count = 0;
  #moment = 0n;

  constructor(apart: number) {
    this.apart = apart;
  }

  add(n: number): void {
    this.#count += n;
  }
  sum(): number {
    return this.#count;
  }
  moment(): bigint {
    return this.#moment;
  }
  moveMoment(_was: bigint, next: bigint): boolean {
    this.#moment = next;
    return true;
  }
  turnBack(by: bigint): void {
    this.#moment -= by;
  }
  drop(): void {}
}
