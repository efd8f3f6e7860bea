import { describe, expect, test } from "bun:test";

import fc from "fast-check";

import { BY_HASH, schedulerFor, SCHEDULERS } from "../../../src/core/schedulers/schedulers.ts";
import { emptySlate, NONE } from "../../../src/core/schedulers/slate.ts";
import { dice, slateOf, tally } from "./field.ts";

/** Who is chosen, as letters, when nothing else happens. */
function sequence(
  name: (typeof SCHEDULERS)[number],
  weights: readonly number[],
  n: number,
): string {
  const slate = slateOf(weights);
  const scheduler = schedulerFor(name);
  scheduler.reset(slate);
  const throws = dice(1);
  return Array.from({ length: n }, () => "abcdef"[scheduler.choose(slate, 0, throws)]).join("");
}

// leastconnsrr goes by who was left longest ago: without connections that is always the first.
test.each(SCHEDULERS.filter((name) => name !== "leastconnsrr"))(
  "%s: shares are as the weights",
  (name) => {
    const weights = [1, 2, 5];
    const slate = slateOf(weights);
    const scheduler = schedulerFor(name);
    scheduler.reset(slate);
    const times = 40_000;
    const counts = tally(scheduler, slate, times);
    for (const [i, weight] of weights.entries()) {
      const fair = (times * weight) / 8;
      expect(Math.abs((counts[i] ?? 0) - fair) / fair).toBeLessThan(0.05);
    }
  },
);

describe.each(SCHEDULERS)("%s", (name) => {
  test(BY_HASH.has(name) ? "goes by the client" : "does not know the client", () => {
    const chosen = (hash: (i: number) => number): number[] => {
      const slate = slateOf([1, 2, 5]);
      const scheduler = schedulerFor(name);
      scheduler.reset(slate);
      const throws = dice(3);
      return Array.from({ length: 100 }, (_, i) => scheduler.choose(slate, hash(i), throws));
    };
    const [same, different] = [chosen(() => 0), chosen((i) => Math.imul(i, 0x9e3779b1) >>> 0)];
    if (BY_HASH.has(name)) expect(different).not.toEqual(same);
    else expect(different).toEqual(same);
  });

  test("whoever is blocked is not chosen; when all are, nobody is", () => {
    const slate = slateOf([1, 2, 5]);
    const scheduler = schedulerFor(name);
    scheduler.reset(slate);
    slate.blocked[2] = 1;
    expect(tally(scheduler, slate, 1000)[2]).toBe(0);
    slate.blocked.fill(1);
    expect(scheduler.choose(slate, 1, dice(1))).toBe(NONE);
    expect([...slate.blocked]).toEqual([1, 1, 1]);
  });

  test("nobody to choose from", () => {
    const scheduler = schedulerFor(name);
    scheduler.reset(emptySlate(0));
    expect(scheduler.choose(emptySlate(0), 1, dice(1))).toBe(NONE);
  });

  test("only candidates are chosen, whatever comes and goes", () => {
    const pools = fc.array(
      fc.record({ weight: fc.integer({ min: 1, max: 9 }), here: fc.boolean(), open: fc.nat(9) }),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(pools, fc.nat(), (all, hash) => {
        const slate = slateOf(all.map(({ weight }) => weight));
        const here = all.flatMap((one, i) => (one.here ? [i] : []));
        for (const [i, { open }] of all.entries()) slate.open[i] = open;
        slate.count = here.length;
        slate.candidates.set(here);
        const scheduler = schedulerFor(name);
        scheduler.reset(slate);
        const one = scheduler.choose(slate, hash, dice(hash));
        expect(here.length === 0 ? one === NONE : here.includes(one)).toBe(true);
      }),
      { numRuns: name === "maglev" ? 30 : 200 },
    );
  });
});

describe("roundrobin", () => {
  test.each([
    { story: "in turn", weights: [1, 1, 1], says: "abcabc" },
    {
      story: "the heavy one in between the others, as nginx does it",
      weights: [5, 1, 1],
      says: "aabacaa",
    },
    { story: "halves", weights: [1, 0.5], says: "abaaba" },
    { story: "alone", weights: [3], says: "aaa" },
  ])("$story", ({ weights, says }) => {
    expect(sequence("roundrobin", weights, says.length)).toBe(says);
  });

  test("one that leaves takes its turn with it, and the others go on", () => {
    const slate = slateOf([1, 1, 1]);
    const scheduler = schedulerFor("roundrobin");
    scheduler.reset(slate);
    tally(scheduler, slate, 4);
    slate.candidates.set([0, 2]);
    slate.count = 2;
    scheduler.reset(slate);
    const [a = 0, b, c = 0] = tally(scheduler, slate, 100);
    expect(b).toBe(0);
    expect(Math.abs(a - c)).toBeLessThanOrEqual(2); // what was owed before is paid
  });
});

describe("leastconns", () => {
  test.each([
    { story: "the fewest", weights: [1, 1, 1], open: [2, 1, 3], chosen: 1 },
    { story: "for its weight", weights: [1, 4, 1], open: [2, 4, 3], chosen: 1 },
  ])("$story", ({ weights, open, chosen }) => {
    for (const name of ["leastconns", "leastconnsrr"] as const) {
      const slate = slateOf(weights);
      slate.open.set(open);
      const scheduler = schedulerFor(name);
      scheduler.reset(slate);
      expect(scheduler.choose(slate, 0, dice(1))).toBe(chosen);
    }
  });

  test("equals take turns: it is not always the first", () => {
    expect(sequence("leastconns", [1, 1, 1], 6)).toBe("abcabc");
  });

  test("many at once are spread evenly over what they find", () => {
    for (const name of ["leastconns", "leastconnsrr"] as const) {
      const slate = slateOf([1, 1, 2]);
      slate.open.set([10, 0, 0]);
      const scheduler = schedulerFor(name);
      scheduler.reset(slate);
      for (let i = 0; i < 30; i++) {
        const one = scheduler.choose(slate, 0, dice(1));
        slate.open[one] = (slate.open[one] ?? 0) + 1;
      }
      expect([...slate.open]).toEqual([10, 10, 20]);
    }
  });
});

describe("leastconnsrr", () => {
  test("traffic one after another goes round: pythondirector's a b a b", () => {
    const slate = slateOf([1, 1]);
    const scheduler = schedulerFor("leastconnsrr");
    scheduler.reset(slate);
    let said = "";
    for (let now = 1; now <= 6; now++) {
      const one = scheduler.choose(slate, 0, dice(1));
      said += "ab"[one];
      slate.left[one] = now;
    }
    expect(said).toBe("ababab");
  });

  test("one that never had a connection is first", () => {
    const slate = slateOf([1, 1, 1]);
    slate.left.set([3, 0, 2]);
    expect(schedulerFor("leastconnsrr").choose(slate, 0, dice(1))).toBe(1);
  });
});

describe("p2c", () => {
  test("nobody has many more than others, though only two are looked at", () => {
    const slate = slateOf(Array.from({ length: 20 }, () => 1));
    const scheduler = schedulerFor("p2c");
    const throws = dice(3);
    for (let i = 0; i < 20_000; i++) {
      const one = scheduler.choose(slate, 0, throws);
      slate.open[one] = (slate.open[one] ?? 0) + 1;
    }
    const counts = [...slate.open];
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThan(15); // of 1000; dice alone: 150
  });

  test("under load, shares are as the weights", () => {
    const slate = slateOf([1, 3]);
    const scheduler = schedulerFor("p2c");
    const throws = dice(3);
    for (let i = 0; i < 4000; i++) {
      const one = scheduler.choose(slate, 0, throws);
      slate.open[one] = (slate.open[one] ?? 0) + 1;
    }
    expect(slate.open[1]).toBeGreaterThan(2900);
    expect(slate.open[1]).toBeLessThan(3100);
  });
});
