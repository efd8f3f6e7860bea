/** What consistent hashing promises: a client keeps its server, and few move when one comes or goes. */
import { describe, expect, test } from "bun:test";

import fc from "fast-check";

import { hashPair, hashText } from "../../../src/core/schedulers/hash.ts";
import { tableSize } from "../../../src/core/schedulers/maglev.ts";
import { schedulerFor, type SchedulerName } from "../../../src/core/schedulers/schedulers.ts";
import { dice, slateOf, tally } from "./field.ts";

const CLIENTS = 10_000;

/** The name of each client's server. */
function places(scheduler: SchedulerName, servers: readonly string[], weights?: readonly number[]) {
  const slate = slateOf(weights ?? servers.map(() => 1), servers);
  const chooser = schedulerFor(scheduler);
  chooser.reset(slate);
  return Array.from(
    { length: CLIENTS },
    (_, i) => servers[chooser.choose(slate, hashText(`10.1.${i >> 8}.${i & 255}`), dice(1))] ?? "",
  );
}

const names = (n: number) => Array.from({ length: n }, (_, i) => `10.0.0.${i + 1}:8080`);
const moved = (a: readonly string[], b: readonly string[]) =>
  a.filter((one, i) => one !== b[i]).length;

describe.each(["iphash", "urlhash", "maglev"] as const)("%s", (name) => {
  test("a client has one server, in whatever order they are listed", () => {
    fc.assert(
      fc.property(fc.shuffledSubarray(names(12), { minLength: 2 }), (servers) => {
        expect(moved(places(name, servers), places(name, servers.toSorted()))).toBe(0);
      }),
      { numRuns: 8 },
    );
  });

  test("when one goes its clients move, and hardly any other", () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 40 }), fc.nat(), (n, which) => {
        const servers = names(n);
        const gone = servers[which % n] ?? "";
        const before = places(name, servers);
        const after = places(
          name,
          servers.filter((one) => one !== gone),
        );
        const had = before.filter((one) => one === gone).length;
        // Rendezvous moves nobody else; Maglev (NSDI 2016, 5.3) a few.
        const others = moved(before, after) - had;
        expect(others / CLIENTS).toBeLessThanOrEqual(name === "maglev" ? 0.05 : 0);
      }),
      { numRuns: 15 },
    );
  });

  test("when one comes it takes its share, from everybody", () => {
    const before = places(name, names(9));
    const after = places(name, names(10));
    expect(moved(before, after) / CLIENTS).toBeLessThan(name === "maglev" ? 0.15 : 0.115);
  });

  test("shares are even", () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 20 }), (n) => {
        const all = places(name, names(n));
        for (const server of names(n)) {
          const share = all.filter((one) => one === server).length;
          // Chance alone: five standard deviations of that many clients.
          expect(Math.abs(share - CLIENTS / n)).toBeLessThan(5 * Math.sqrt(CLIENTS / n));
        }
      }),
      { numRuns: 10 },
    );
  });

  test("clients of one that cannot be had go to several others, and come back", () => {
    const slate = slateOf([1, 1, 1, 1, 1]);
    const chooser = schedulerFor(name);
    chooser.reset(slate);
    const before = tally(chooser, slate, CLIENTS);
    slate.blocked[2] = 1;
    const without = tally(chooser, slate, CLIENTS);
    for (const i of [0, 1, 3, 4]) expect((without[i] ?? 0) - (before[i] ?? 0)).toBeGreaterThan(350);
    slate.blocked[2] = 0;
    expect(tally(chooser, slate, CLIENTS)).toEqual(before);
  });
});

describe("maglev", () => {
  test.each([
    { servers: 1, size: 65_537 },
    { servers: 655, size: 65_537 },
    { servers: 656, size: 655_373 },
    { servers: 4096, size: 655_373 },
    { servers: 60_000, size: 6_553_621 },
  ])("a table of $size for $servers", ({ servers, size }) => {
    expect(tableSize(servers)).toBe(size);
    for (let d = 2; d * d <= size; d++) if (size % d === 0) throw new Error(`${size} is no prime`);
  });

  test("the table is as even as it can be: 1% at most", () => {
    const weights = [1, 2, 3, 4, 5];
    const slate = slateOf(weights);
    const chooser = schedulerFor("maglev");
    chooser.reset(slate);
    const times = 1_000_000;
    const counts = weights.map(() => 0);
    for (let i = 0; i < times; i++) {
      const one = chooser.choose(slate, hashPair(i, 99), dice(1));
      counts[one] = (counts[one] ?? 0) + 1;
    }
    for (const [i, weight] of weights.entries())
      expect(Math.abs((counts[i] ?? 0) / ((times * weight) / 15) - 1)).toBeLessThan(0.01);
  });
});

test("hashes are unsigned, and one letter changes half of the bits", () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const hash = hashText(text);
      expect(Number.isInteger(hash) && hash >= 0 && hash < 2 ** 32).toBe(true);
    }),
  );
  let bits = 0;
  for (let i = 0; i < 1000; i++) {
    let differ = (hashText(`a${i}`) ^ hashText(`b${i}`)) >>> 0;
    for (; differ !== 0; differ >>>= 1) bits += differ & 1;
  }
  expect(bits / 1000).toBeGreaterThan(15);
  expect(bits / 1000).toBeLessThan(17);
});
