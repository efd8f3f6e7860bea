import { describe, expect, test } from "bun:test";

import { gcm } from "@noble/ciphers/aes.js";
import { chacha20poly1305 } from "@noble/ciphers/chacha.js";
import fc from "fast-check";

import { type Aead, type AeadName, TAG } from "../../../src/net/aead/aead.ts";
import { aead, cpuHasAes, preferred } from "../../../src/net/aead/choice.ts";
import { nobleChacha } from "../../../src/net/aead/noble-chacha.ts";
import { nodeGcm } from "../../../src/net/aead/node-gcm.ts";
import { block } from "../../../src/sys/memory.ts";

/** Each way of doing it; the fastest of this machine may be one of the others again. */
const WAYS: readonly [string, Aead][] = [
  nodeGcm,
  nobleChacha,
  aead("aes-256-gcm"),
  aead("chacha20-poly1305"),
].map((way) => [`${way.name} by ${way.by}`, way]);

/** By the book, for one whole message: another implementation, in one piece. */
function byTheBook(
  name: AeadName,
  key: Uint8Array,
  counter: number,
  ad: Uint8Array,
  text: Uint8Array,
) {
  const nonce = new Uint8Array(12);
  new DataView(nonce.buffer).setBigUint64(4, BigInt(counter), true);
  return (name === "aes-256-gcm" ? gcm : chacha20poly1305)(key, nonce, ad).encrypt(text);
}

const message = fc.record({
  key: fc.uint8Array({ minLength: 32, maxLength: 32 }),
  counter: fc.oneof(fc.nat(), fc.maxSafeNat()),
  ad: fc.uint8Array({ maxLength: 40 }),
  head: fc.uint8Array({ maxLength: 100 }),
  body: fc.uint8Array({ maxLength: 1500 }),
  at: fc.nat(33),
  fromAt: fc.nat(33),
});

describe.each(WAYS)("%s", (_, way) => {
  test("is what the book says, whichever part lies where, and opens again", () => {
    fc.assert(
      fc.property(message, ({ key, counter, ad, head, body, at, fromAt }) => {
        const [sealed, from, to] = [block(2000), block(2000), block(2000)];
        sealed.bytes.fill(0xee);
        sealed.bytes.set(ad, at);
        sealed.bytes.set(head, at + ad.length);
        from.bytes.set(body, fromAt);
        const seal = way.sealer(key);
        seal.seal(counter, sealed, at, ad.length, head.length, from, fromAt, body.length);
        seal.free();
        const text = at + ad.length;
        const end = text + head.length + body.length + TAG;
        const right = byTheBook(way.name, key, counter, ad, Buffer.concat([head, body]));
        expect(Buffer.from(sealed.bytes.subarray(text, end)).equals(right)).toBe(true);
        expect([sealed.bytes[at - 1] ?? 0xee, sealed.bytes[end]]).toEqual([0xee, 0xee]);

        const open = way.opener(key);
        const args = [at, ad.length, head.length, body.length, to, fromAt] as const;
        expect(open.open(counter, sealed, ...args)).toBe(true);
        expect(sealed.bytes.slice(text, text + head.length)).toEqual(head);
        expect(to.bytes.slice(fromAt, fromAt + body.length)).toEqual(body);
        open.free();
      }),
      { numRuns: 60 },
    );
  });

  test("one changed bit, another counter or another key: not opened; and the next one is", () => {
    const key = new Uint8Array(32).fill(7);
    const [sealed, from] = [block(200), block(100)];
    const seal = way.sealer(key);
    const open = way.opener(key);
    const other = way.opener(new Uint8Array(32).fill(8));
    const again = (counter: number): void => seal.seal(counter, sealed, 0, 16, 20, from, 0, 100);
    for (let bit = 0; bit < (16 + 20 + 100 + TAG) * 8; bit += 5) {
      again(bit);
      sealed.bytes[bit >> 3]! ^= 1 << (bit & 7); // within the block
      expect(open.open(bit, sealed, 0, 16, 20, 100, from, 0)).toBe(false);
      from.bytes.fill(0);
    }
    again(9);
    expect(other.open(9, sealed, 0, 16, 0, 120, block(120), 0)).toBe(false);
    again(9);
    expect(open.open(10, sealed, 0, 16, 0, 120, block(120), 0)).toBe(false);
    again(9);
    expect(open.open(9, sealed, 0, 16, 120, 0, from, 0)).toBe(true);
  });

  test("nothing is written or read behind the end of a block", () => {
    const [small, large] = [block(50), block(500)];
    const key = new Uint8Array(32);
    const seal = way.sealer(key);
    const open = way.opener(key);
    expect(() => seal.seal(0, small, 0, 0, 0, large, 0, 40)).toThrow(RangeError);
    expect(() => open.open(0, small, 0, 0, 0, 40, large, 0)).toThrow(RangeError);
    expect(() => open.open(0, small, 40, 0, 0, 0, large, 0)).toThrow(RangeError);
    expect(() => way.sealer(new Uint8Array(31)).seal(0, large, 0, 0, 0, large, 0, 0)).toThrow();
  });

  test("a key that was given back seals and opens nothing, given back once or twice", () => {
    const memory = block(64);
    const seal = way.sealer(new Uint8Array(32));
    const open = way.opener(new Uint8Array(32));
    for (const key of [seal, open, seal, open]) key.free();
    expect(() => seal.seal(0, memory, 0, 0, 0, memory, 0, 0)).toThrow("the key is gone");
    expect(() => open.open(0, memory, 0, 0, 0, 0, memory, 0)).toThrow("the key is gone");
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
