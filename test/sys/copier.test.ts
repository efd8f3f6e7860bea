import { expect, test } from "bun:test";

import fc from "fast-check";

import { Copier } from "../../src/sys/copier.ts";

test("copies what a loop would, between arrays that change and that stay", () => {
  const copier = new Copier();
  const arrays = [
    new Uint8Array(40),
    new Uint8Array(new ArrayBuffer(64), 8, 40),
    new Uint8Array(4000),
  ];
  for (const one of arrays) crypto.getRandomValues(one);
  const which = fc.nat(2);
  fc.assert(
    fc.property(which, which, fc.nat(45), fc.nat(45), fc.nat(45), (a, b, fromAt, toAt, count) => {
      fc.pre(a !== b);
      const [from, to] = [arrays[a] as Uint8Array, arrays[b] as Uint8Array];
      const expected = to.slice();
      if (fromAt + count > from.length || toAt + count > to.length) {
        expect(() => copier.copy(from, fromAt, to, toAt, count)).toThrow(RangeError);
      } else {
        copier.copy(from, fromAt, to, toAt, count);
        expected.set(from.subarray(fromAt, fromAt + count), toAt);
      }
      expect(to).toEqual(expected);
    }),
    { numRuns: 2000 },
  );
});

test("small arrays whose buffers are asked for later, and collections", () => {
  const copier = new Copier();
  for (let i = 0; i < 200; i++) {
    const [from, to] = [Uint8Array.from([i, i + 1, i + 2]), new Uint8Array(3)];
    copier.copy(from, 0, to, 0, 3);
    expect([...new Uint8Array(to.buffer)]).toEqual([...from]);
    if (i % 20 === 0) Bun.gc(true);
    copier.copy(from, 1, to, 0, 2);
    expect([...to]).toEqual([from[1], from[2], from[2]] as number[]);
  }
});

test.each([
  [-1, 0, 1],
  [0, -1, 1],
  [0, 0, -1],
  [0, 0, 11],
  [10, 0, 1],
  [0, 10, 1],
  [2 ** 31, 0, 1],
])("from %i to %i, %i bytes: refused", (fromAt, toAt, count) => {
  const copier = new Copier();
  expect(() => copier.copy(new Uint8Array(10), fromAt, new Uint8Array(10), toAt, count)).toThrow(
    RangeError,
  );
});
