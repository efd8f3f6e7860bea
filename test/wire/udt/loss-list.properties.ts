import fc from "fast-check";

import { LossList } from "../../../src/wire/udt/loss-list.ts";
import { ahead, shift } from "../../../src/wire/udt/sequence.ts";

const step = fc.record({
  what: fc.constantFrom("append", "add", "add", "remove", "remove", "before"),
  at: fc.nat(600),
  length: fc.integer({ min: 1, max: 12 }),
});

/** The list and a plain set agree, near the wrap of the numbers too. */
export const isASet = fc.property(
  fc.constantFrom(0, 1000, 0x7fff_ff00),
  fc.array(step, { maxLength: 300 }),
  (start, steps) => {
    const list = new LossList();
    const plain = new Set<number>();
    let top = 0;
    for (const { what, at, length } of steps) {
      const seq = shift(start, at);
      if (what === "append") {
        const first = Math.max(top, ...plain) + 1;
        list.append(shift(start, first), shift(start, first + length - 1), 0);
        for (let i = 0; i < length; i++) plain.add(first + i);
        top = first + length;
      } else if (what === "add") {
        if (list.add(seq) === plain.has(at)) throw new Error("added or not");
        plain.add(at);
      } else if (what === "remove") {
        if (list.remove(seq) !== plain.delete(at)) throw new Error("removed or not");
      } else {
        list.removeBefore(shift(start, at >> 3));
        for (const one of plain) if (one < at >> 3) plain.delete(one);
      }
      check(list, plain, start);
    }
  },
);

function check(list: LossList, plain: ReadonlySet<number>, start: number): void {
  const listed: number[] = [];
  for (let i = 0; i < list.ranges; i++) {
    for (let seq = list.firstOf(i); ahead(list.lastOf(i), seq) >= 0; seq = shift(seq, 1)) {
      listed.push(ahead(seq, start));
      if (!list.has(seq)) throw new Error(`${seq} is listed and not there`);
    }
  }
  const wanted = [...plain].sort((a, b) => a - b);
  if (!Bun.deepEquals(listed, wanted)) throw new Error(`${listed} is not ${wanted}`);
  if (list.count !== plain.size) throw new Error("miscounted");
}
