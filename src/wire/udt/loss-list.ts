import { ahead, next, shift } from "./sequence.ts";

/** Ranges that the columns hold at first; they grow. */
const FIRST_ROOM = 64;

/**
 * Sequence numbers that are missing, as ranges in order, each with a moment (when it was reported last). Columns
 * of numbers and no objects; what is taken at the front costs nothing. All numbers in it must be within half of
 * the sequence space, which windows see to.
 */
export class LossList {
  #first = new Int32Array(FIRST_ROOM);
  #last = new Int32Array(FIRST_ROOM);
  #when = new Float64Array(FIRST_ROOM);
  /** Rows in use are from `#head` to `#tail`. */
  #head = 0;
  #tail = 0;
  #count = 0;

  /** How many sequence numbers are in it. */
  get count(): number {
    return this.#count;
  }
  /** How many ranges. */
  get ranges(): number {
    return this.#tail - this.#head;
  }
  firstOf(range: number): number {
    return this.#first[this.#head + range]!;
  }
  lastOf(range: number): number {
    return this.#last[this.#head + range]!;
  }
  whenOf(range: number): number {
    return this.#when[this.#head + range]!;
  }
  setWhen(range: number, when: number): void {
    this.#when[this.#head + range] = when;
  }
  /** The lowest number, or -1. */
  get lowest(): number {
    return this.#count === 0 ? -1 : this.#first[this.#head]!;
  }

  has(seq: number): boolean {
    const row = this.#find(seq);
    return row < this.#tail && ahead(seq, this.#first[row]!) >= 0;
  }

  /** Adds `first` to `last`, all of them numbers beyond the highest in it. */
  append(first: number, last: number, when: number): void {
    const row = this.#open(this.#tail);
    this.#set(row, first, last, when);
    this.#count += ahead(last, first) + 1;
  }

  /** Adds `seq`, wherever it belongs; false: it was there. */
  add(seq: number): boolean {
    let row = this.#find(seq);
    if (row < this.#tail && ahead(seq, this.#first[row]!) >= 0) return false;
    this.#count += 1;
    const joinsNext = row < this.#tail && next(seq) === this.#first[row];
    const joinsPrevious = row > this.#head && next(this.#last[row - 1]!) === seq;
    if (joinsNext && joinsPrevious) {
      this.#last[row - 1] = this.#last[row]!;
      this.#close(row);
    } else if (joinsNext) this.#first[row] = seq;
    else if (joinsPrevious) this.#last[row - 1] = seq;
    else {
      row = this.#open(row);
      this.#set(row, seq, seq, 0);
    }
    return true;
  }

  /** Takes `seq` out; false: it was not there. */
  remove(seq: number): boolean {
    const row = this.#find(seq);
    if (row === this.#tail) return false;
    const first = this.#first[row]!;
    const last = this.#last[row]!;
    if (ahead(seq, first) < 0) return false;
    this.#count -= 1;
    if (first === last) this.#close(row);
    else if (seq === first) this.#first[row] = next(seq);
    else if (seq === last) this.#last[row] = shift(seq, -1);
    else {
      const when = this.#when[row]!;
      const added = this.#open(row);
      this.#set(added, first, shift(seq, -1), when);
      this.#first[added + 1] = next(seq);
    }
    return true;
  }

  /** Takes out all numbers before `seq`. */
  removeBefore(seq: number): void {
    while (this.#head < this.#tail && ahead(seq, this.#last[this.#head]!) > 0) {
      this.#count -= ahead(this.#last[this.#head]!, this.#first[this.#head]!) + 1;
      this.#close(this.#head);
    }
    if (this.#head === this.#tail) return;
    const cut = ahead(seq, this.#first[this.#head]!);
    if (cut <= 0) return;
    this.#first[this.#head] = seq;
    this.#count -= cut;
  }

  /** The first row whose last number is not before `seq`. */
  #find(seq: number): number {
    let low = this.#head;
    let high = this.#tail;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (ahead(this.#last[middle]!, seq) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #set(row: number, first: number, last: number, when: number): void {
    this.#first[row] = first;
    this.#last[row] = last;
    this.#when[row] = when;
  }

  /** Makes room for a row before `row`, and says where it is now. */
  #open(row: number): number {
    if (this.#head > 0 && row - this.#head <= this.#tail - row) {
      for (const column of this.#columns()) column.copyWithin(this.#head - 1, this.#head, row);
      this.#head -= 1;
      return row - 1;
    }
    if (this.#tail === this.#first.length) row -= this.#makeRoom();
    for (const column of this.#columns()) column.copyWithin(row + 1, row, this.#tail);
    this.#tail += 1;
    return row;
  }

  #close(row: number): void {
    if (row === this.#head) this.#head += 1;
    else {
      for (const column of this.#columns()) column.copyWithin(row, row + 1, this.#tail);
      this.#tail -= 1;
    }
    if (this.#head === this.#tail) this.#head = this.#tail = 0;
  }

  #columns(): readonly [Int32Array, Int32Array, Float64Array] {
    return [this.#first, this.#last, this.#when];
  }

  /** Moves the rows to the start of the columns, larger ones if they are half full; says by how many. */
  #makeRoom(): number {
    const moved = this.#head;
    const rows = this.#tail - moved;
    const grow = rows * 2 > this.#first.length;
    const make = <T extends Int32Array | Float64Array>(column: T, larger: T): T => {
      larger.set(column.subarray(moved, this.#tail));
      return larger;
    };
    const room = grow ? this.#first.length * 2 : this.#first.length;
    this.#first = make(this.#first, new Int32Array(room));
    this.#last = make(this.#last, new Int32Array(room));
    this.#when = make(this.#when, new Float64Array(room));
    this.#head = 0;
    this.#tail = rows;
    return moved;
  }
}
