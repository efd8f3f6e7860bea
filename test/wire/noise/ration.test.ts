import { expect, test } from "bun:test";

import fc from "fast-check";

import { Ration } from "../../../src/wire/noise/ration.ts";

const HERE = Uint8Array.of(10, 0, 0, 1);
const THERE = Uint8Array.of(10, 0, 0, 2);

test("five at once, then twenty in a second, for each address", () => {
  const ration = new Ration(1);
  const allowed = (address: Uint8Array, count: number, now: number): number =>
    Array.from({ length: count }, () => ration.take(address, now)).filter(Boolean).length;
  expect(allowed(HERE, 100, 5000)).toBe(5);
  expect(allowed(THERE, 100, 5000)).toBe(5);
  expect(allowed(HERE, 100, 5049)).toBe(0);
  expect(allowed(HERE, 100, 5050)).toBe(1);
  expect(allowed(HERE, 100, 5150)).toBe(2);
  expect(allowed(HERE, 100, 60_000)).toBe(5);
});

test("whoever floods gets no more than that, however it comes", () => {
  const waits = fc.array(fc.integer({ min: 0, max: 100 }), { maxLength: 500 });
  fc.assert(
    fc.property(fc.integer(), waits, fc.uint8Array({ maxLength: 16 }), (seed, all, address) => {
      const ration = new Ration(seed);
      let now = 0;
      let taken = 0;
      for (const wait of all) if (ration.take(address, (now += wait))) taken++;
      expect(taken).toBeLessThanOrEqual(5 + now / 50);
    }),
  );
});

test("addresses are spread over all slots", () => {
  const ration = new Ration(7);
  let refused = 0;
  for (let i = 0; i < 1000; i++)
    if (!ration.take(Uint8Array.of(10, 0, i >> 8, i & 255), 0)) refused++;
  expect(refused).toBe(0); // five of a slot may come at once
});
