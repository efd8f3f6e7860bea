import { describe, expect, test } from "bun:test";

import fc from "fast-check";

import { Arena, CHUNK, type Held } from "../../../../src/services/proxy/cache/arena.ts";

const FRONT = Buffer.from("in front");

function bytesOf(held: Held, from = 0, to = held.length): Uint8Array {
  const into = new Uint8Array(to - from);
  held.read(from, to, into, 0);
  return into;
}

describe("an arena", () => {
  test("keeps what is stored as it was, among others that come and go", () => {
    const step = fc.record({
      size: fc.integer({ min: 0, max: 4000 }),
      cut: fc.nat(4000),
      give: fc.boolean(),
      seed: fc.nat(255),
    });
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 60 }),
        fc.array(fc.tuple(fc.nat(4000), fc.nat(4000))),
        (steps, parts) => {
          const arena = new Arena(CHUNK * 40);
          let kept: { held: Held; bytes: Uint8Array }[] = [];
          for (const { size, cut, give, seed } of steps) {
            const bytes = Uint8Array.from({ length: size }, (_, i) => i * 7 + seed);
            const held = arena.store(FRONT.subarray(0, seed % 9), [
              bytes.subarray(0, cut),
              bytes.subarray(cut),
            ]);
            if (held) kept.push({ held, bytes });
            if (!give || kept.length === 0) continue;
            const [gone] = kept.splice(seed % kept.length, 1);
            gone?.held.drop();
          }
          for (const { held, bytes } of kept) {
            expect(bytesOf(held)).toEqual(bytes);
            expect(Buffer.from(bytesOf(held, -held.front, 0))).toEqual(
              FRONT.subarray(0, held.front),
            );
            for (const [a, b] of parts) {
              const [from, to] = [
                Math.min(a, b, bytes.length),
                Math.min(Math.max(a, b), bytes.length),
              ];
              expect(bytesOf(held, from, to)).toEqual(bytes.subarray(from, to));
            }
          }
          const used = kept.reduce((sum, { held }) => sum + held.weight, 0);
          expect(arena.chunks.left * CHUNK + used).toBe(CHUNK * 40);
          kept = [];
        },
      ),
    );
  });

  test("what was given back is not read, nor given back again", () => {
    const arena = new Arena(CHUNK * 4);
    const held = arena.store(FRONT, [Buffer.from("secret")])!;
    held.hold();
    held.drop();
    expect(Buffer.from(bytesOf(held)).toString()).toBe("secret");
    held.drop();
    expect(() => bytesOf(held)).toThrow(RangeError);
    expect(() => held.drop()).toThrow();
  });

  test("is closed when the last of it is given back", () => {
    const arena = new Arena(CHUNK * 4);
    const held = arena.store(FRONT, [Buffer.from("x")])!;
    arena.close();
    expect(arena.store(FRONT, [Buffer.from("y")])).toBeUndefined();
    expect(Buffer.from(bytesOf(held)).toString()).toBe("x");
    held.drop();
    expect(arena.chunks.left).toBe(4);
  });

  test("without memory holds nothing", () => {
    expect(new Arena(0).store(FRONT, [Buffer.from("x")])).toBeUndefined();
  });
});
