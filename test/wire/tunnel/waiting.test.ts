import { describe, expect, test } from "bun:test";

import fc from "fast-check";

import { UNORDERED } from "../../../src/wire/tunnel/flow.ts";
import { WaitingLine } from "../../../src/wire/tunnel/waiting.ts";

function line(...put: readonly (readonly [name: number, flow: number, parts: number])[]) {
  const waiting = new WaitingLine();
  for (const [name, flow, parts] of put) waiting.put(Uint8Array.of(name), flow, parts);
  return waiting;
}

function all(waiting: WaitingLine): number[] {
  const got: number[] = [];
  for (let next = waiting.take(); next !== undefined; next = waiting.take())
    got.push(next.bytes[0] ?? -1);
  return got;
}

describe("of what waits", () => {
  test.each<{ story: string; put: (readonly [number, number, number])[]; got: number[] }>([
    {
      story: "a small one of another flow overtakes a stream",
      put: [
        [1, 7, 9],
        [2, 7, 9],
        [3, 8, 1],
      ],
      got: [3, 1, 2],
    },
    {
      story: "those of one flow stay in their order",
      put: [
        [1, 7, 9],
        [2, 7, 1],
        [3, 7, 1],
      ],
      got: [1, 2, 3],
    },
    {
      story: "so do those of one that says little",
      put: [
        [1, 7, 1],
        [2, 7, 1],
        [3, 9, 4],
      ],
      got: [1, 2, 3],
    },
    {
      story: "acknowledgements wait for nobody",
      put: [
        [1, 7, 9],
        [2, UNORDERED, 1],
        [3, UNORDERED, 1],
      ],
      got: [2, 3, 1],
    },
  ])("$story", ({ put, got }) => {
    expect(all(line(...put))).toEqual(got);
  });

  test("many that say little starve nobody", () => {
    const many = Array.from({ length: 100 }, (_, i) => [i + 1, i + 1, 1] as const);
    const got = all(line([0, 4000, 9], ...many));
    expect(got.indexOf(0)).toBe(8);
  });

  test("all come out, once, and those of a flow in their order", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(4), fc.integer({ min: 1, max: 3 })), { maxLength: 60 }),
        (given) => {
          const put = given.map(([flow, parts], i) => [i, flow, parts] as const);
          const waiting = line(...put);
          expect(waiting.parts).toBe(given.reduce((sum, [, parts]) => sum + parts, 0));
          const got = all(waiting);
          for (const flow of [0, 1, 2, 3, 4])
            expect(got.filter((i) => given[i]?.[0] === flow)).toEqual(
              put.flatMap(([i, of]) => (of === flow ? [i] : [])),
            );
          expect(waiting.parts).toBe(0);
        },
      ),
    );
  });
});
