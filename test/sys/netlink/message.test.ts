import { expect, test } from "bun:test";

import fc from "fast-check";

import {
  attributes,
  emit,
  messages,
  readText,
  readU32,
  text,
  u32,
} from "../../../src/sys/netlink/message.ts";

const type = fc.integer({ min: 1, max: 0x3fff });
const bytes = fc.uint8Array({ maxLength: 40 });

test("what is written is read", () => {
  fc.assert(
    fc.property(
      type,
      fc.nat(0xffff),
      fc.nat(),
      fc.uint8Array({ minLength: 4, maxLength: 20 }).map((head) => head.slice(0, head.length & ~3)),
      fc.uniqueArray(fc.tuple(type, bytes), { selector: ([one]) => one }),
      (kind, flags, sequence, head, parts) => {
        const [message, ...more] =
          messages(emit({ type: kind, flags, sequence }, head, parts)) ?? [];
        expect(more).toEqual([]);
        expect(message).toMatchObject({ type: kind, flags, sequence });
        expect(message?.body.subarray(0, head.length)).toEqual(head);
        expect(attributes(message?.body.subarray(head.length) ?? head)).toEqual(new Map(parts));
      },
    ),
  );
});

test("anything else is undefined, or whole", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (random) => {
      for (const message of messages(random) ?? []) expect(message.body.length).toBeLessThan(100);
      attributes(random);
    }),
  );
});

const header = (length: number): Uint8Array =>
  new Uint8Array(Uint32Array.of(length, 0, 0, 0).buffer);

test.each([
  { story: "a piece of a header", of: header(16).subarray(0, 15) },
  { story: "shorter than its header", of: header(15) },
  { story: "longer than what came", of: header(17) },
])("$story is no message", ({ of }) => {
  expect(messages(of)).toBeUndefined();
});

test.each([
  { story: "a piece of a header", of: [4, 0, 1] },
  { story: "shorter than its header", of: [3, 0, 1, 0] },
  { story: "longer than what came", of: [5, 0, 1, 0] },
])("$story is no attribute", ({ of }) => {
  expect(attributes(Uint8Array.from(of))).toBeUndefined();
});

test("values", () => {
  expect(readU32(u32(0xdead_beef))).toBe(0xdead_beef);
  expect([u32(undefined), readU32(undefined), readU32(Uint8Array.of(1))]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
  expect(readText(text("eth0"))).toBe("eth0");
  expect([readText(undefined), readText(Uint8Array.of(0x61))]).toEqual(["", "a"]);
});
