import { expect, test } from "bun:test";

import fc from "fast-check";

import { type Chain, Chunks } from "../../src/core/chunks.ts";

function all(chunks: Chunks, { first, count }: Chain): number[] {
  const list = [first];
  while (list.length < count) list.push(chunks.after(list.at(-1)!));
  return list;
}

test("no chunk is in two chains, and none is lost", () => {
  const steps = fc.array(fc.oneof(fc.integer({ min: 1, max: 20 }), fc.constant("give" as const)));
  fc.assert(
    fc.property(steps, fc.nat(), (list, seed) => {
      const chunks = new Chunks(64);
      const taken: Chain[] = [];
      for (const [i, step] of list.entries()) {
        if (step === "give") {
          const [chain] = taken.splice((seed + i) % Math.max(taken.length, 1), 1);
          if (chain) chunks.give(chain);
          continue;
        }
        const { left } = chunks;
        const chain = chunks.take(step);
        expect(chain !== undefined).toBe(step <= left);
        if (chain) taken.push(chain);
      }
      const used = taken.flatMap((chain) => all(chunks, chain));
      expect(new Set(used).size).toBe(used.length);
      expect(chunks.left + used.length).toBe(64);
      for (const chain of taken) expect(chunks.after(chain.last)).toBe(-1);
    }),
  );
});

test("what is given back goes out again as it lay", () => {
  const chunks = new Chunks(10);
  const chain = chunks.take(4)!;
  expect(all(chunks, chain)).toEqual([0, 1, 2, 3]);
  chunks.give(chain);
  expect(all(chunks, chunks.take(4)!)).toEqual([0, 1, 2, 3]);
});
