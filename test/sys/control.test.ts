import { expect, test } from "bun:test";

import fc from "fast-check";

import { emitRights, MAX_FDS, parseRights, spaceFor } from "../../src/sys/control.ts";

const bytes = (hex: string): Uint8Array => Uint8Array.fromHex(hex.replaceAll(" ", ""));

test("one descriptor, padded to eight bytes", () => {
  const hex = "1400000000000000 01000000 01000000 07000000 00000000";
  expect(emitRights([7])).toEqual(bytes(hex) as Uint8Array<ArrayBuffer>);
  expect(spaceFor(1)).toBe(24);
});

test.each([
  { story: "nothing", hex: "", fds: [] },
  { story: "half a header", hex: "1400000000000000 01000000", fds: [] },
  {
    story: "two messages",
    hex: "1400000000000000 01000000 01000000 07000000 00000000 1400000000000000 01000000 01000000 08000000 00000000",
    fds: [7, 8],
  },
  {
    story: "credentials before the descriptor",
    hex: "1c00000000000000 01000000 02000000 010000000200000003000000 00000000 1400000000000000 01000000 01000000 09000000",
    fds: [9],
  },
  {
    story: "cut off after the first of two",
    hex: "1800000000000000 01000000 01000000 07000000",
    fds: [7],
  },
  { story: "a length shorter than the header", hex: "0800000000000000 01000000 01000000", fds: [] },
  { story: "a length of 2^32", hex: "1400000001000000 01000000 01000000 07000000", fds: [] },
  {
    story: "a length that would go backwards as an int",
    hex: "ffffffff00000000 01000000 01000000 07000000",
    fds: [7],
  },
])("$story", ({ hex, fds }) => {
  expect(parseRights(bytes(hex))).toEqual([...fds] as number[]);
});

test("what is emitted is parsed", () => {
  const some = fc.array(fc.integer({ min: 0, max: 2 ** 31 - 1 }), { maxLength: MAX_FDS });
  fc.assert(fc.property(some, (fds) => expect(parseRights(emitRights(fds))).toEqual(fds)));
});

test("whatever the bytes: it ends, does not throw, and reads nothing past them", () => {
  const word = fc.constantFrom(0, 1, 2, 16, 17, 20, 24, 0xffff_fff9, 0xffff_ffff);
  const wild = fc
    .array(fc.oneof(word, fc.nat(64)), { maxLength: 40 })
    .map((words) => new Uint8Array(Uint32Array.from(words).buffer));
  fc.assert(
    fc.property(fc.oneof(wild, fc.uint8Array({ maxLength: 160 })), (given) => {
      const room = new Uint8Array(given.length + 64).fill(1);
      room.set(given, 32);
      const fds = parseRights(room.subarray(32, 32 + given.length));
      expect(fds).toEqual(parseRights(given));
      expect(fds.length * 4).toBeLessThanOrEqual(given.length);
    }),
    { numRuns: 1000 },
  );
});
