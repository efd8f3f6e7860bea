import { describe, expect, test } from "bun:test";

import { type SeatKeeper, TALLY_BYTES, TallyTable } from "../../../src/core/tally-table.ts";
import { Tallies } from "../../../src/net/tally/tallies.ts";
import { ownTallies } from "../../fake/tallies.ts";

/** Processes that count together, and the death of one. */
function processes(n: number) {
  const memory = new SharedArrayBuffer(TALLY_BYTES);
  const living = new Set<number>();
  const keeper: SeatKeeper = {
    alone: (run) => run(),
    sit: (seat) => !living.has(seat) && living.add(seat).has(seat),
    sits: (seat) => living.has(seat),
  };
  let time = 0;
  const all = Array.from({ length: n }, () => {
    const table = TallyTable.join(memory, keeper);
    return new Tallies({ table, of: n, now: () => time, offset: 0, watch: () => () => {} });
  });
  return {
    all,
    kill: (seat: number) => void living.delete(seat),
    pass: (ms: number) => void (time += ms),
  };
}

describe("a count", () => {
  test("gives so many places, whoever asks", () => {
    const [a, b, c] = processes(3).all.map((one) => one.count("clients"));
    const taken = [a, b, c, a, b].map((one) => one?.take(4));
    expect(taken).toEqual([true, true, true, true, false]);
    expect([a?.here, a?.elsewhere]).toEqual([2, 2]);
    expect([b?.full(4), b?.full(5), b?.full(6, 1), b?.full(6, 2)]).toEqual([
      true,
      false,
      false,
      true,
    ]);
    c?.leave();
    expect([b?.take(4, 1), b?.take(4)]).toEqual([false, true]);
  });

  test("is one for all in a process who ask for the name, until the last has closed it", () => {
    const { all } = processes(2);
    const [one, again] = [all[0]?.count("clients"), all[0]?.count("clients")];
    const other = all[1]?.count("clients");
    one?.add();
    again?.add();
    one?.close();
    expect(other?.elsewhere).toBe(2);
    again?.close();
    expect(other?.elsewhere).toBe(0);
  });

  test("has room again for those who ask when somebody died", () => {
    const { all, kill, pass } = processes(2);
    const [a, b] = all.map((one) => one.count("clients"));
    a?.take(1);
    expect(b?.take(1)).toBe(false);
    kill(0);
    pass(250);
    expect([b?.take(1), b?.take(1)]).toEqual([false, true]); // it asked, and looked who is alive
  });

  test.each([
    { story: "its part of what all may have", of: 4, most: 10, taken: 2 },
    { story: "one at least", of: 4, most: 2, taken: 1 },
    { story: "all of it when there is nobody else", of: 1, most: 3, taken: 3 },
    { story: "nothing of nothing", of: 4, most: 0, taken: 0 },
  ])("a process that counts for itself gets $story", ({ of, most, taken }) => {
    const count = ownTallies(of).count("clients");
    const answers = Array.from({ length: 10 }, () => count.take(most));
    expect(answers.filter(Boolean)).toHaveLength(taken);
  });
});

describe("a rate", () => {
  test("is for all together: a burst, then one each so often", () => {
    const [a, b] = processes(2).all.map((one) => one.rate("clients"));
    const ask = (who: typeof a, now: number) => who?.take(100, 20, now);
    expect([ask(a, 0), ask(b, 0), ask(a, 0), ask(b, 0)]).toEqual([0, 0, 0, 10]);
    expect([ask(a, 4), ask(a, 10), ask(b, 10)]).toEqual([6, 0, 10]);
  });

  test("is given back what was not needed", () => {
    const [a, b] = processes(2).all.map((one) => one.rate("clients"));
    expect([a?.take(10, 0, 0), b?.take(10, 0, 0)]).toEqual([0, 100]);
    a?.giveBack(10);
    expect(b?.take(10, 0, 0)).toBe(0);
  });

  test("of a process that counts for itself is its part", () => {
    const rate = ownTallies(4).rate("clients");
    expect([rate.take(100, 0, 0), rate.take(100, 0, 0)]).toEqual([0, 40]);
  });
});
