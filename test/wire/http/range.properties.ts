import { expect } from "bun:test";

import fc from "fast-check";

import { parseRange } from "../../../src/wire/http/range.ts";

const SIZE = 24;
const bound = fc.option(fc.nat(SIZE + 6), { nil: undefined });
const spec = fc.tuple(bound, bound).filter(([a, b]) => a !== undefined || b !== undefined);
const specs = fc.array(spec, { minLength: 1, maxLength: 6 });

/** A set of byte numbers is the plainest model of ranges there is. */
export const exactlyWhatIsAsked = fc.property(specs, (list) => {
  const asked = new Set<number>();
  for (const [a, b] of list) {
    const first = a ?? Math.max(SIZE - (b ?? 0), 0);
    const last = a === undefined ? SIZE - 1 : Math.min(b ?? SIZE, SIZE - 1);
    for (let i = first; i <= last; i++) asked.add(i);
  }
  const backwards = list.some(([a, b]) => a !== undefined && b !== undefined && a > b);

  const header = `bytes=${list.map(([a = "", b = ""]) => `${a}-${b}`).join(",")}`;
  const ranges = parseRange(header, SIZE, 6);
  if (typeof ranges === "string") {
    expect(ranges).toBe(backwards ? "ignore" : "unsatisfiable");
    if (!backwards) expect(asked.size).toBe(0);
    return;
  }
  expect(backwards).toBe(false);
  const sent = ranges.flatMap((r) => Array.from({ length: r.length }, (_, i) => r.offset + i));
  expect(sent.toSorted((a, b) => a - b)).toEqual([...asked].toSorted((a, b) => a - b));
  expect(ranges.every((r) => r.length > 0)).toBe(true);
});

const nearly = fc.string({ unit: fc.constantFrom(..."0159-, =x") }).map((s) => `bytes=${s}`);

export const staysInside = fc.property(
  fc.oneof(nearly, fc.string()),
  fc.nat(1000),
  (header, size) => {
    const ranges = parseRange(header, size, 8);
    if (typeof ranges === "string") return;
    expect(ranges.length).toBeLessThanOrEqual(8);
    expect(ranges.reduce((sum, r) => sum + r.length, 0)).toBeLessThanOrEqual(size);
    for (const r of ranges) {
      expect(r.offset).toBeGreaterThanOrEqual(0);
      expect(r.offset + r.length).toBeLessThanOrEqual(size);
    }
  },
);
