import { expect, test } from "bun:test";

import fc from "fast-check";

import { type Sleeper, WakeQueue } from "../../src/core/wake-queue.ts";

test("whoever is in it, the first is the earliest", () => {
  const step = fc.record({
    who: fc.nat(9),
    at: fc.oneof(fc.integer({ min: 0, max: 50 }), fc.constant(Infinity)),
    leaves: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const queue = new WakeQueue<Sleeper>();
      const all = Array.from({ length: 10 }, (): Sleeper => ({ wakeAt: Infinity, place: -1 }));
      const wanted = new Map<Sleeper, number>();
      for (const { who, at, leaves } of steps) {
        const one = all[who] as Sleeper;
        if (leaves || at === Infinity) wanted.delete(one);
        else wanted.set(one, at);
        if (leaves) queue.delete(one);
        else queue.set(one, at);
        expect(queue.size).toBe(wanted.size);
        expect(queue.wakeAt).toBe(Math.min(Infinity, ...wanted.values()));
        if (queue.first !== undefined) expect(wanted.get(queue.first)).toBe(queue.wakeAt);
        for (const other of all) expect(other.place >= 0).toBe(wanted.has(other));
      }
    }),
  );
});

test("they come out in order", () => {
  const queue = new WakeQueue<Sleeper>();
  for (const at of [5, 3, 9, 1, 7, 3, 2]) queue.set({ wakeAt: Infinity, place: -1 }, at);
  const order: number[] = [];
  for (let one = queue.first; one !== undefined; one = queue.first) {
    order.push(one.wakeAt);
    queue.delete(one);
  }
  expect(order).toEqual([1, 2, 3, 3, 5, 7, 9]);
});
