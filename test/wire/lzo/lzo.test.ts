import { describe, expect, test } from "bun:test";

import fc from "fast-check";
import { LZO } from "lzo-ts";

import { compress } from "../../../src/wire/lzo/compress.ts";
import { decompress } from "../../../src/wire/lzo/decompress.ts";

const MOST = 1 << 17;
const bytes = fc.uint8Array({ maxLength: 3000 });
/** Pieces that come again, near and far, in long runs and short. */
const repetitive = fc
  .array(fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 40 }), fc.nat(60)), { maxLength: 30 })
  .map((pieces) =>
    Uint8Array.from(
      pieces.flatMap(([piece, n]) =>
        Array(n)
          .fill([...piece])
          .flat(),
      ),
    ),
  );

describe("LZO1X", () => {
  test("what is packed is unpacked, by us and by another", () => {
    fc.assert(
      fc.property(fc.oneof(bytes, repetitive), (plain) => {
        const packed = compress(plain);
        expect(decompress(packed, plain.length)).toEqual(plain);
        if (plain.length > 0) expect(new Uint8Array(LZO.decompress(packed))).toEqual(plain);
      }),
    );
  });

  test("what another packed is unpacked", () => {
    fc.assert(
      fc.property(fc.oneof(bytes, repetitive), (plain) => {
        const packed = LZO.compress(plain);
        expect(decompress(packed, plain.length)).toEqual(plain);
      }),
    );
  });

  test.each([
    { story: "far matches", far: 20_000 },
    { story: "the farthest", far: 49_151 },
    { story: "farther than any match reaches", far: 60_000 },
  ])("$story", ({ far }) => {
    const plain = new Uint8Array(far + 300);
    let noise = 7;
    for (let i = 0; i < far; i++)
      plain[i] = (noise = Math.imul(noise, 1_103_515_245) + 12_345) >>> 20;
    plain.copyWithin(far, 0, 300);
    const packed = compress(plain);
    expect(decompress(packed, MOST)).toEqual(plain);
    expect(new Uint8Array(LZO.decompress(packed))).toEqual(plain);
  });

  test("nonsense is refused, and never more than asked for", () => {
    fc.assert(
      fc.property(
        fc.oneof(bytes, bytes.map(compress), repetitive.map(compress)),
        fc.nat(),
        fc.nat(2000),
        (packed, where, most) => {
          const broken = packed.slice();
          if (broken.length > 0) broken[where % broken.length] = where & 0xff;
          const plain = decompress(broken, most);
          expect(plain === undefined || plain.length <= most).toBe(true);
        },
      ),
    );
  });

  test.each([
    { story: "nothing", packed: [] },
    { story: "no end", packed: [18, 65] },
    { story: "something behind the end", packed: [18, 65, 17, 0, 0, 1] },
    { story: "a match before the beginning", packed: [18, 65, 64, 9, 17, 0, 0] },
    { story: "a length without an end", packed: [0, 0, 0] },
  ])("$story is no stream", ({ packed }) => {
    expect(decompress(Uint8Array.from(packed), MOST)).toBeUndefined();
  });
});
