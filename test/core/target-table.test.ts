import { expect, test } from "bun:test";

import fc from "fast-check";

import { TargetTable } from "../../src/core/target-table.ts";

const bytes = (text: string): Uint8Array => Buffer.from(text);
const find = (table: TargetTable<number>, text: string): number | undefined =>
  table.find(bytes(`GET ${text} HTTP`), 4, 4 + text.length);
const never = (): boolean => false;

test("what is found was put there for these very bytes, and is the newest", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.string({ maxLength: 3 }), fc.nat())), (puts) => {
      const table = new TargetTable<number>(8);
      const known = new Map<string, number>();
      for (const [text, value] of puts) {
        const target = Buffer.from(text);
        known.set(target.toString("latin1"), value);
        table.put(target, value, never);
        expect(table.find(target, 0, target.length)).toBe(value);
        for (const [other, newest] of known) {
          const key = Buffer.from(other, "latin1");
          expect([newest, undefined]).toContain(table.find(key, 0, key.length));
        }
      }
    }),
  );
});

test("what is spent goes first, and what goes is told", () => {
  const table = new TargetTable<number>(4);
  for (const i of [0, 1, 2, 3]) expect(table.put(bytes(`/${i}`), i, never)).toBeUndefined();
  expect(table.put(bytes("/1"), 11, () => true)).toBe(1);
  expect(table.put(bytes("/new"), 5, (value) => value === 2)).toBe(2);
  expect(["/0", "/1", "/2", "/3", "/new"].map((text) => find(table, text))).toEqual([
    0,
    11,
    undefined,
    3,
    5,
  ]);
  const gone = table.put(bytes("/newer"), 6, never);
  expect([0, 11, 3, 5]).toContain(gone ?? -1);
  table.clear();
  expect(find(table, "/newer")).toBeUndefined();
});
