import fc from "fast-check";

import { type Method, Squeezer, unpack } from "../../../src/services/tunnel/squeezer.ts";
import { block } from "../../../src/sys/memory.ts";
import { AT, MAX_PACKET, TRAILER } from "../../../src/wire/tunnel/plaintext.ts";

const START = 32;
const GUARD = 0xa5;
const memory = block(START + MAX_PACKET + 1000);

/** What is compressed, or seems to be, makes nothing longer than it says, and touches nothing behind it. */
export const unpacksAnything = fc.property(
  fc.constantFrom<Method>("zlib", "lzo", "zstd"),
  fc.uint8Array({ maxLength: 60 }),
  fc.integer({ min: 1, max: 60 }),
  fc.array(fc.tuple(fc.nat(4000), fc.nat(255)), { maxLength: 4 }),
  fc.option(fc.nat(MAX_PACKET)),
  (method, some, times, bends, size) => {
    const { bytes, view } = memory;
    bytes.fill(GUARD);
    const plain = Buffer.concat(Array.from({ length: times }, () => some));
    bytes.set(plain, START);
    bytes.fill(0, START + plain.length, START + plain.length + TRAILER);
    const length = new Squeezer(method).pack(memory, START, plain.length + TRAILER);
    for (const [at, value] of bends) bytes[START + (at % length)] = value;
    // The trailer says how long it becomes.
    if (size !== null) view.setUint16(START + length - TRAILER + AT.size, size);
    bytes.fill(GUARD, START + length);
    const most = Math.max(length, unpack(memory, START, length));
    if (most > MAX_PACKET) throw new Error("longer than any packet");
    for (let at = START + most; at < bytes.length; at++)
      if (bytes[at] !== GUARD) throw new Error(`touched ${at}`);
  },
);
