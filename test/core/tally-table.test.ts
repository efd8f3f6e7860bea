import { describe, expect, test } from "bun:test";

import fc from "fast-check";

import {
  ROWS,
  type SeatKeeper,
  SEATS,
  TALLY_BYTES,
  TallyTable,
} from "../../src/core/tally-table.ts";

/** Memory, and processes that come and go. */
class Room {
  readonly memory = new SharedArrayBuffer(TALLY_BYTES);
  readonly #living = new Set<number>();

  /** Another process sits down. */
  join(): TallyTable {
    const keeper: SeatKeeper = {
      alone: (run) => run(),
      sit: (seat) => {
        if (this.#living.has(seat)) return false;
        this.#living.add(seat);
        return true;
      },
      sits: (seat) => this.#living.has(seat),
    };
    const table = TallyTable.join(this.memory, keeper);
    if (table === undefined) throw new Error("every seat is taken");
    return table;
  }

  kill({ seat }: TallyTable): void {
    this.#living.delete(seat);
  }
}

function rowOf(table: TallyTable, name: string): number {
  const row = table.row(name);
  if (row === undefined) throw new Error("there are too many rows");
  return row;
}

describe("a count", () => {
  test("is what all have counted under its name", () => {
    const room = new Room();
    const [a, b] = [room.join(), room.join()];
    const [inA, inB, other] = [rowOf(a, "clients"), rowOf(b, "clients"), rowOf(b, "others")];
    a.add(inA, 3);
    b.add(inB, 2);
    b.add(inB, -1);
    b.add(other, 7);
    expect([a.sum(inA), b.sum(inB), b.sum(other)]).toEqual([4, 4, 7]);
  });

  test("lacks what was counted by who died, once somebody looks, or sits down there", () => {
    const room = new Room();
    const [a, b, c] = [room.join(), room.join(), room.join()];
    const row = rowOf(a, "clients");
    for (const table of [a, b, c]) table.add(rowOf(table, "clients"), 5);
    room.kill(b);
    expect(a.sum(row)).toBe(15);
    a.sweep();
    expect(a.sum(row)).toBe(10);
    room.kill(c);
    const next = room.join(); // at the lowest that is free, which was b's
    expect([next.seat, a.sum(row)]).toEqual([b.seat, 10]);
    expect([room.join().seat, a.sum(row)]).toEqual([c.seat, 5]);
  });

  test("lacks what was counted by who has dropped it", () => {
    const room = new Room();
    const [a, b] = [room.join(), room.join()];
    const row = rowOf(a, "clients");
    a.add(row, 1);
    b.add(rowOf(b, "clients"), 1);
    a.drop(row);
    expect(b.sum(row)).toBe(1);
  });
});

describe("a row", () => {
  test("is kept by who counts nothing there, and is another's when nobody keeps it", () => {
    const room = new Room();
    const [a, b] = [room.join(), room.join()];
    const row = rowOf(a, "one");
    expect(rowOf(b, "one")).toBe(row);
    a.moveMoment(row, 0n, 5n);
    a.drop(row);
    expect(rowOf(a, "two")).not.toBe(row);
    b.drop(row);
    expect([rowOf(b, "three"), b.moment(row), b.sum(row)]).toEqual([row, 0n, 0]);
  });

  test("is not to be had when there are as many as there may be", () => {
    const table = new Room().join();
    for (let i = 0; i < ROWS; i++) expect(table.row(`${i}`)).toBe(i);
    expect(table.row("one more")).toBeUndefined();
    expect(table.row("7")).toBe(7);
    table.drop(9);
    expect(table.row("one more")).toBe(9);
  });
});

test("a moment moves for one of two who want to move it", () => {
  const room = new Room();
  const [a, b] = [room.join(), room.join()];
  const row = rowOf(a, "rate");
  expect(b.row("rate")).toBe(row);
  expect(a.moveMoment(row, 0n, 10n)).toBe(true);
  expect(b.moveMoment(row, 0n, 20n)).toBe(false);
  b.turnBack(row, 3n);
  expect(a.moment(row)).toBe(7n);
});

test("there are seats for as many processes as a config may have, and no more", () => {
  const room = new Room();
  const keeper: SeatKeeper = { alone: (run) => run(), sit: () => false, sits: () => true };
  expect(TallyTable.join(room.memory, keeper)).toBeUndefined();
  for (let i = 0; i < SEATS; i++) expect(room.join().seat).toBe(i);
});

test("property: whatever processes count, drop and die, the sum is that of the living", () => {
  const step = fc.record({
    who: fc.nat(3),
    what: fc.constantFrom("add", "add", "leave", "drop", "die"),
    name: fc.constantFrom("x", "y", "z"),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const room = new Room();
      const seats = Array.from({ length: 4 }, () => ({
        table: room.join(),
        counts: new Map<string, number>(),
      }));
      for (const { who, what, name } of steps) {
        const one = seats[who];
        if (one === undefined) continue;
        const { table, counts } = one;
        if (what === "die") {
          room.kill(table);
          seats[who] = { table: room.join(), counts: new Map() };
          continue;
        }
        const known = counts.get(name);
        const row = rowOf(table, name);
        if (what === "drop") {
          table.drop(row);
          counts.delete(name);
        } else if (what === "add" || (known ?? 0) > 0) {
          table.add(row, what === "add" ? 1 : -1);
          counts.set(name, (known ?? 0) + (what === "add" ? 1 : -1));
        } else if (known === undefined) counts.set(name, 0);
      }
      const looker = room.join();
      for (const name of ["x", "y", "z"])
        expect(looker.sum(rowOf(looker, name))).toBe(
          seats.reduce((sum, { counts }) => sum + (counts.get(name) ?? 0), 0),
        );
    }),
    { numRuns: 50 },
  );
});
