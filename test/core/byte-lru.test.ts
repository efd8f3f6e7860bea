import { describe, expect, test } from "bun:test";

import fc from "fast-check";

import { ByteLru } from "../../src/core/byte-lru.ts";

const make = (name: string) => ({ name, visited: false });

describe("byte lru", () => {
  test("the oldest goes, unless it was visited", () => {
    const left: string[] = [];
    const cache = new ByteLru<string, ReturnType<typeof make>>(30, (v) => left.push(v.name));
    for (const name of ["a", "b", "c"]) cache.set(name, make(name), 10);
    cache.get("a");
    cache.set("d", make("d"), 10);
    expect(left).toEqual(["b"]);
    cache.set("e", make("e"), 10);
    expect(left).toEqual(["b", "c"]);
    expect([...cache.keys()]).toEqual(["a", "d", "e"]);
  });

  test("what exceeds the budget alone is not kept and evicts nobody", () => {
    const cache = new ByteLru<string, ReturnType<typeof make>>(30);
    cache.set("a", make("a"), 10);
    expect(cache.set("b", make("b"), 31)).toBe(false);
    expect([...cache.keys()]).toEqual(["a"]);
  });

  test("a value that grows pushes out others, then itself", () => {
    const left: string[] = [];
    const cache = new ByteLru<string, ReturnType<typeof make>>(30, (v) => left.push(v.name));
    cache.set("a", make("a"), 10);
    cache.set("b", make("b"), 10);
    expect(cache.resize("a", 25)).toBe(true);
    expect(left).toEqual(["b"]);
    expect(cache.resize("a", 31)).toBe(false);
    expect([cache.size, cache.bytes]).toEqual([0, 0]);
  });

  const steps = fc.array(
    fc.record({
      act: fc.constantFrom("set", "get", "resize", "delete"),
      key: fc.nat(12),
      bytes: fc.nat(60),
    }),
    { maxLength: 200 },
  );
  test("never over budget, and every value leaves exactly once", () => {
    fc.assert(
      fc.property(steps, (script) => {
        let inside = 0;
        const cache = new ByteLru<number, { visited: boolean }>(100, () => inside--);
        for (const { act, key, bytes } of script) {
          if (act === "set" && cache.set(key, { visited: false }, bytes)) inside++;
          if (act === "get") cache.get(key);
          if (act === "resize") cache.resize(key, bytes);
          if (act === "delete") cache.delete(key);
          expect(cache.bytes).toBeLessThanOrEqual(100);
          expect(cache.size).toBe(inside);
        }
        cache.clear();
        expect([cache.size, cache.bytes, inside]).toEqual([0, 0, 0]);
      }),
    );
  });
});
