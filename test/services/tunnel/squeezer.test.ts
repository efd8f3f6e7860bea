import { describe, expect, test } from "bun:test";
import { zstdCompressSync } from "node:zlib";

import fc from "fast-check";

import { type Method, Squeezer, unpack } from "../../../src/services/tunnel/squeezer.ts";
import { block } from "../../../src/sys/memory.ts";
import { AT, KIND, TRAILER } from "../../../src/wire/tunnel/plaintext.ts";
import { contentOf } from "../../../src/wire/tunnel/zstd-frame.ts";

const METHODS: readonly Method[] = ["zlib", "lzo", "zstd"];
const START = 32;
/** Its number in a trailer. */
const ZSTD = 3;

/** A plaintext of kind packet with that body, in memory at START, and its length. */
function plaintext(body: Uint8Array) {
  const memory = block(200_000);
  memory.bytes.set(body, START);
  memory.bytes[START + body.length + AT.kind] = KIND.packet;
  const length = body.length + TRAILER;
  return { memory, length, before: memory.bytes.slice(START, START + length) };
}

const text = new TextEncoder().encode("GET / HTTP/1.1\r\nHost: a.example\r\n".repeat(40));

describe.each(METHODS)("%s", (method) => {
  test("what repeats itself becomes short, and is what it was", () => {
    const { memory, length, before } = plaintext(text);
    const packed = new Squeezer(method).pack(memory, START, length);
    expect(packed).toBeLessThan(length / 4);
    expect(unpack(memory, START, packed)).toBe(length);
    expect(memory.bytes.slice(START, START + length)).toEqual(before);
  });

  test("what gains nothing goes as it is, and is not tried every time", () => {
    const dice = crypto.getRandomValues(new Uint8Array(1300));
    const squeezer = new Squeezer(method);
    const { memory, length, before } = plaintext(dice);
    expect(squeezer.pack(memory, START, length)).toBe(length);
    expect(memory.bytes.slice(START, START + length)).toEqual(before);
    // The next two are not tried; then there is another chance.
    const sizes = [1, 2, 3].map(() => {
      const one = plaintext(text);
      return squeezer.pack(one.memory, START, one.length) < one.length;
    });
    expect(sizes).toEqual([false, false, true]);
  });

  test("any body comes out as it went in", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 1500 }),
        fc.integer({ min: 1, max: 40 }),
        (some, times) => {
          const body = Buffer.concat(Array.from({ length: times }, () => some));
          const { memory, length, before } = plaintext(body);
          const packed = new Squeezer(method).pack(memory, START, length);
          expect(packed).toBeLessThanOrEqual(length);
          if (packed < length) expect(unpack(memory, START, packed)).toBe(length);
          expect(memory.bytes.slice(START, START + length)).toEqual(before);
        },
      ),
    );
  });

  test("one that says another length than it has is none", () => {
    for (const change of [-1, 1, 1000]) {
      const { memory, length } = plaintext(text);
      const packed = new Squeezer(method).pack(memory, START, length);
      const at = START + packed - TRAILER + AT.size;
      memory.view.setUint16(at, memory.view.getUint16(at) + change);
      expect(unpack(memory, START, packed)).toBe(0);
    }
  });

  test("one in another is none", () => {
    const { memory, length } = plaintext(text);
    memory.bytes[START + length - TRAILER + AT.kind] = KIND.squeezed;
    const packed = new Squeezer(method).pack(memory, START, length);
    expect(unpack(memory, START, packed)).toBe(0);
  });
});

/** What comes of `body` when it says of itself that it is squeezed by method `how`, from `size` bytes. */
function unpacked(body: Uint8Array, how: number, size: number): number {
  const { memory, length } = plaintext(body);
  const trailer = START + body.length;
  memory.bytes[trailer + AT.kind] = KIND.squeezed;
  memory.bytes[trailer + AT.gso] = how;
  memory.view.setUint16(trailer + AT.size, size);
  return unpack(memory, START, length);
}

test("nothing that comes makes more than a packet", () => {
  const bomb = Uint8Array.from(Bun.zstdCompressSync(new Uint8Array(50_000_000)));
  expect(contentOf(bomb)).toBeUndefined();
  expect(unpacked(bomb, ZSTD, 60_000)).toBe(0);

  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(4), fc.nat(70_000), (some, how, size) => {
      expect([0, size & 0xffff]).toContain(unpacked(some, how, size & 0xffff));
    }),
  );
});

test("a frame behind a frame, which says nothing of its length, is not unpacked", () => {
  const bomb = Uint8Array.from(
    Buffer.concat([100, 40_000_000].map((length) => zstdCompressSync(new Uint8Array(length)))),
  );
  expect(Bun.zstdDecompressSync(bomb).length).toBe(40_000_100);
  expect(contentOf(bomb)).toBeUndefined();
  expect(unpacked(bomb, ZSTD, 100)).toBe(0);
});

test.each([0, 1, 255, 256, 257, 1400, 65_791])("a frame of %d bytes says so", (length) => {
  expect(contentOf(Uint8Array.from(Bun.zstdCompressSync(new Uint8Array(length))))).toBe(length);
});

test.each([
  ["nothing", []],
  ["another magic number", [1, 2, 3, 4, 0x20, 5]],
  ["a frame that does not say", [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58]],
  ["one that ends too soon", [0x28, 0xb5, 0x2f, 0xfd, 0x60, 0x01]],
  [
    "one with a block that ends too soon",
    [...Bun.zstdCompressSync(new Uint8Array(9))].slice(0, -1),
  ],
  ["one with something behind it", [...Bun.zstdCompressSync(new Uint8Array(9)), 0]],
])("%s has no length", (_, bytes) => {
  expect(contentOf(Uint8Array.from(bytes))).toBeUndefined();
});
