import { describe, expect, test } from "bun:test";

import { gcm } from "@noble/ciphers/aes.js";
import { chacha20poly1305 } from "@noble/ciphers/chacha.js";
import fc from "fast-check";

import { type Aead, type AeadName, TAG } from "../../../src/net/aead/aead.ts";
import { aead, cpuHasAes, preferred } from "../../../src/net/aead/choice.ts";
import { nobleChacha } from "../../../src/net/aead/noble-chacha.ts";
import { nodeGcm } from "../../../src/net/aead/node-gcm.ts";
import { type Block, block } from "../../../src/sys/memory.ts";

/** Each way of doing it; the fastest of this machine may be one of the others again. */
const WAYS: readonly [string, Aead][] = [
  nodeGcm,
  nobleChacha,
  aead("aes-256-gcm"),
  aead("chacha20-poly1305"),
].map((way) => [`${way.name} by ${way.by}`, way]);

/** By the book: another implementation, in one piece. */
function byTheBook(name: AeadName, key: Uint8Array, counter: number, text: Uint8Array) {
  const nonce = new Uint8Array(12);
  const aes = name === "aes-256-gcm";
  new DataView(nonce.buffer).setBigUint64(4, BigInt(counter), !aes);
  if (aes) return gcm(key, nonce, Buffer.from("tern tunnel\0\0")).encrypt(text);
  return chacha20poly1305(key, nonce).encrypt(text);
}

/** Bytes in front of a text: what is there of its own, and the counter. */
const FRONT = 8;

function putCounter(memory: Block, at: number, counter: number, aes: boolean): void {
  memory.view.setBigUint64(at - FRONT, BigInt(counter), !aes);
}

const message = fc.record({
  key: fc.uint8Array({ minLength: 32, maxLength: 32 }),
  counters: fc.array(fc.oneof(fc.nat(), fc.maxSafeNat()), { minLength: 1, maxLength: 3 }),
  text: fc.uint8Array({ maxLength: 1500 }),
  at: fc.integer({ min: FRONT, max: 33 }),
  toAt: fc.nat(33),
});

describe.each(WAYS)("%s", (_, way) => {
  const aes = way.name === "aes-256-gcm";

  test("is what the book says, wherever it lies and whatever was counted before, and opens again", () => {
    fc.assert(
      fc.property(message, ({ key, counters, text, at, toAt }) => {
        const [sealed, to] = [block(2000), block(2000)];
        const seal = way.sealer(key);
        const open = way.opener(key);
        for (const counter of [...counters, (counters.at(-1) ?? 0) + 1]) {
          sealed.bytes.fill(0xee);
          sealed.bytes.set(text, at);
          putCounter(sealed, at, counter, aes);
          const front = sealed.bytes.slice(0, at);
          seal.seal(counter, sealed, at, text.length);
          const end = at + text.length + TAG;
          const right = byTheBook(way.name, key, counter, text);
          expect(Buffer.from(sealed.bytes.subarray(at, end)).equals(right)).toBe(true);
          expect(sealed.bytes.slice(0, at)).toEqual(front);
          expect(sealed.bytes[end]).toBe(0xee);

          to.bytes.fill(0xdd);
          expect(open.open(counter, sealed, at, text.length, to, toAt)).toBe(true);
          expect(to.bytes.slice(toAt, toAt + text.length)).toEqual(text);
          expect([to.bytes[toAt - 1] ?? 0xdd, to.bytes[toAt + text.length]]).toEqual([0xdd, 0xdd]);
        }
        seal.free();
        open.free();
      }),
      { numRuns: 60 },
    );
  });

  test("one changed bit, another counter or another key: not opened; and the next one is", () => {
    const key = new Uint8Array(32).fill(7);
    const [sealed, to] = [block(200), block(120)];
    const seal = way.sealer(key);
    const open = way.opener(key);
    const other = way.opener(new Uint8Array(32).fill(8));
    const again = (counter: number): void => {
      sealed.bytes.fill(5);
      seal.seal(counter, sealed, 8, 120);
    };
    for (let bit = 0; bit < (120 + TAG) * 8; bit += 5) {
      again(bit);
      sealed.bytes[8 + (bit >> 3)]! ^= 1 << (bit & 7); // within the block
      putCounter(sealed, 8, bit, aes);
      expect(open.open(bit, sealed, 8, 120, to, 0)).toBe(false);
      again(bit);
      putCounter(sealed, 8, bit, aes);
      expect(open.open(bit, sealed, 8, 120, to, 0)).toBe(true);
    }
    again(9);
    putCounter(sealed, 8, 9, aes);
    expect(other.open(9, sealed, 8, 120, to, 0)).toBe(false);
    again(9);
    putCounter(sealed, 8, 10, aes);
    expect(open.open(10, sealed, 8, 120, to, 0)).toBe(false);
    again(9);
    expect(open.open(9, sealed, 8, 119, to, 0)).toBe(false);
    again(9);
    putCounter(sealed, 8, 9, aes);
    expect(open.open(9, sealed, 8, 120, sealed, 8)).toBe(true);
    expect(sealed.bytes.slice(8, 128)).toEqual(new Uint8Array(120).fill(5));
  });

  test("nothing is written or read behind the end of a block", () => {
    const [small, large] = [block(50), block(500)];
    const key = new Uint8Array(32);
    const seal = way.sealer(key);
    const open = way.opener(key);
    expect(() => seal.seal(0, small, 8, 40)).toThrow(RangeError);
    expect(() => open.open(0, small, 8, 40, large, 0)).toThrow(RangeError);
    expect(() => open.open(0, small, 48, 0, large, 0)).toThrow(RangeError);
    expect(() => way.sealer(new Uint8Array(31)).seal(0, large, 8, 0)).toThrow();
  });

  test("a key that was given back seals and opens nothing, given back once or twice", () => {
    const memory = block(64);
    const seal = way.sealer(new Uint8Array(32));
    const open = way.opener(new Uint8Array(32));
    for (const key of [seal, open, seal, open]) key.free();
    expect(() => seal.seal(0, memory, 8, 0)).toThrow("the key is gone");
    expect(() => seal.seal(1, memory, 8, 0)).toThrow("the key is gone");
    expect(() => open.open(0, memory, 8, 0, memory, 8)).toThrow("the key is gone");
  });
});

test.each([
  {
    story: "a PC",
    cpuinfo: "model name\t: x\nflags\t\t: fpu sse2 aes xsave\nbugs\t: none",
    aes: true,
  },
  { story: "an old PC", cpuinfo: "flags\t\t: fpu sse2 vaes xsave", aes: false },
  { story: "a Pi 5", cpuinfo: "Features\t: fp asimd evtstrm aes pmull sha1", aes: true },
  { story: "a Pi 4", cpuinfo: "Features\t: fp asimd evtstrm crc32 cpuid", aes: false },
  { story: "the last of the line", cpuinfo: "Features\t: fp aes\n", aes: true },
  { story: "no /proc", cpuinfo: "", aes: false },
])("AES instructions: $story", ({ cpuinfo, aes }) => {
  expect(cpuHasAes(cpuinfo)).toBe(aes);
});

test("what is preferred", () => {
  expect(preferred(true, true)).toBe("aes-256-gcm");
  expect(preferred(false, true)).toBe("chacha20-poly1305");
  expect(preferred(false, false)).toBe("aes-256-gcm");
});
