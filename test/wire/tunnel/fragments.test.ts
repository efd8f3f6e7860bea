import { describe, expect, test } from "bun:test";

import fc from "fast-check";

import { Assembly, LONGEST } from "../../../src/wire/tunnel/assembly.ts";
import { FLOWS, UNORDERED } from "../../../src/wire/tunnel/flow.ts";
import {
  ahead,
  emitTail,
  type Fragment,
  NUMBERS,
  parseTail,
  PART,
  showTail,
  TAIL,
} from "../../../src/wire/tunnel/fragment.ts";
import { Packer } from "../../../src/wire/tunnel/packer.ts";
import { IN_FRONT, isControl, tagOf, unwrapData, wrap } from "../../../src/wire/tunnel/repaired.ts";

function memory(length: number) {
  const bytes = new Uint8Array(new ArrayBuffer(length));
  return { bytes, view: new DataView(bytes.buffer) };
}

const fragments: fc.Arbitrary<Fragment> = fc.oneof(
  fc.record({
    flow: fc.nat(FLOWS - 1),
    part: fc.nat(PART.whole),
    number: fc.nat(NUMBERS - 1),
    joint: fc.boolean(),
  }),
  fc.record({
    flow: fc.constant(UNORDERED),
    part: fc.constant(PART.whole),
    number: fc.nat(NUMBERS - 1),
    joint: fc.constant(false),
  }),
);

describe("the tail of a part", () => {
  test.each([
    {
      bytes: "03 3007 000000",
      fragment: { flow: 7, part: PART.whole, number: 0, joint: false },
      shown: "flow 7, number 0: whole",
    },
    {
      bytes: "03 2fff 010203",
      fragment: { flow: 4095, part: PART.first, number: 0x10203, joint: false },
      shown: "flow 4095, number 66051: first",
    },
    {
      bytes: "03 7000 000000",
      fragment: { flow: UNORDERED, part: PART.whole, number: 0, joint: false },
      shown: "in no order: whole",
    },
    {
      bytes: "03 9007 000001",
      fragment: { flow: 7, part: PART.last, number: 1, joint: true },
      shown: "flow 7, number 1: last, two",
    },
  ])("$shown", ({ bytes, fragment, shown }) => {
    const { view, bytes: own } = memory(TAIL);
    emitTail({ bytes: own, view }, 0, fragment);
    expect(own.toHex()).toBe(bytes.replaceAll(" ", ""));
    expect(showTail(fragment)).toBe(shown);
  });

  test("is read as it was written, and anything else is none or reads as it stands", () => {
    const read: Fragment = { flow: 0, part: 0, number: 0, joint: false };
    fc.assert(
      fc.property(fragments, (fragment) => {
        const own = memory(TAIL + 3);
        emitTail(own, 3, fragment);
        expect(parseTail(own, 3, read)).toBe(true);
        expect(read).toEqual(fragment);
      }),
    );
    fc.assert(
      fc.property(fc.uint8Array({ minLength: TAIL, maxLength: TAIL }), (given) => {
        const [own, again] = [memory(TAIL), memory(TAIL)];
        own.bytes.set(given);
        own.bytes[0] = 3;
        if (!parseTail(own, 0, read)) return;
        emitTail(again, 0, read);
        expect(again.bytes).toEqual(own.bytes);
      }),
    );
  });

  test("its numbers begin again after the last", () => {
    expect([ahead(0, NUMBERS - 1), ahead(NUMBERS - 1, 0), ahead(5, 5)]).toEqual([1, -1, 0]);
  });
});

/** A part as it stands in UDT's message. */
function part(fragment: Partial<Fragment>, body: number, length: number): Uint8Array {
  const own = memory(length + TAIL);
  own.bytes.fill(body);
  emitTail(own, length, { flow: 1, part: PART.whole, number: 0, joint: false, ...fragment });
  return own.bytes;
}

const anything = fc.tuple(fc.nat(3), fc.nat(PART.whole), fc.nat(1023), fc.boolean());

describe("parts in their order", () => {
  const { first, middle, last, whole } = PART;
  test.each([
    { story: "one that is whole", parts: [whole], lengths: [10] },
    { story: "three of one", parts: [first, middle, last], lengths: [30] },
    { story: "no beginning", parts: [middle, last, whole], lengths: [10] },
    { story: "no end", parts: [first, middle, whole], lengths: [10], torn: 1 },
    { story: "begun twice", parts: [first, first, last], lengths: [20], torn: 1 },
  ])("$story", ({ parts, lengths, torn = 0 }) => {
    const got: number[] = [];
    const assembly = new Assembly((plain) => void got.push(plain.length));
    for (const one of parts as readonly number[]) assembly.deliver(part({ part: one }, 1, 10), 1);
    expect([got, assembly.torn, assembly.waiting]).toEqual([[...lengths], torn, 0]);
  });

  test("flows do not mix, and one that breaks off frees what it had", () => {
    const got: string[] = [];
    const assembly = new Assembly((plain) => void got.push(plain.toHex()));
    assembly.deliver(part({ part: first }, 0x11, 2), 1);
    assembly.deliver(part({ part: first }, 0x22, 2), 2);
    assembly.deliver(part({ part: last }, 0x22, 1), 2);
    assembly.broken(1);
    expect(assembly.waiting).toBe(0);
    assembly.deliver(part({ part: last }, 0x11, 1), 1);
    assembly.late(part({ part: first }, 0x33, 2));
    assembly.late(part({ part: whole }, 0x44, 2));
    expect([got, assembly.torn]).toEqual([["222222", "4444"], 1]);
  });

  test("nothing longer than a packet comes of them, and of many flows only so many are kept", () => {
    const got: number[] = [];
    const assembly = new Assembly((plain) => void got.push(plain.length));
    assembly.deliver(part({ part: first }, 1, 60_000), 1);
    assembly.deliver(part({ part: last }, 1, LONGEST - 59_999), 1);
    for (let flow = 0; flow < 1000; flow++) assembly.deliver(part({ part: first }, 1, 10), flow);
    expect([got, assembly.torn, assembly.waiting]).toEqual([[], 745, 256]);
  });

  test("whatever comes, only what was put in comes out", () => {
    fc.assert(
      fc.property(fc.array(anything), (came) => {
        const assembly = new Assembly((plain) => {
          expect(plain.length).toBeLessThanOrEqual(LONGEST);
        });
        for (const [flow, which, body, joint] of came)
          assembly.deliver(part({ part: which, joint }, body & 3, body), flow);
        expect(assembly.waiting).toBeLessThanOrEqual(4);
      }),
    );
  });
});

/** What a Packer makes of plaintexts, each [flow, length, more]: messages, and what they are put together to. */
function packed(room: number, given: readonly (readonly [number, number, boolean])[]) {
  const shown: string[] = [];
  const got: [number, number][] = [];
  const assembly = new Assembly((plain) => void got.push([plain[0] ?? -1, plain.length]));
  const read: Fragment = { flow: 0, part: 0, number: 0, joint: false };
  const packer = new Packer(room, (bytes) => {
    const own = memory(bytes.length);
    own.bytes.set(bytes);
    expect(parseTail(own, bytes.length - TAIL, read)).toBe(true);
    shown.push(`${bytes.length - TAIL}: ${showTail(read)}`);
    assembly.deliver(bytes, read.flow);
  });
  for (const [i, [flow, length, more]] of given.entries())
    packer.put(new Uint8Array(length).fill(i), flow, more);
  packer.flush();
  return { shown, got, torn: assembly.torn, waits: packer.waits };
}

describe("plaintexts in parts that fill datagrams", () => {
  test("what is left over goes with the next of its flow", () => {
    const { shown, got } = packed(1000, [
      [7, 2500, true],
      [8, 600, true],
      [7, 600, true],
      [7, 100, false],
    ]);
    expect(shown).toEqual([
      "1000: flow 7, number 0: first",
      "1000: flow 7, number 1: middle",
      "600: flow 8, number 0: whole", // only one waits
      "1000: flow 7, number 2: middle, two",
      "204: flow 7, number 3: last, two",
    ]);
    expect(got).toEqual([
      [1, 600],
      [0, 2500],
      [2, 600],
      [3, 100],
    ]);
  });

  test("all are put together again, those of a flow in their order", () => {
    const one = fc.tuple(
      fc.constantFrom(1, 1, 1, 2, UNORDERED),
      fc.integer({ min: 1, max: 5000 }),
      fc.boolean(),
    );
    fc.assert(
      fc.property(fc.integer({ min: 80, max: 1500 }), fc.array(one), (room, wanted) => {
        // Those of no order have one part, and are not kept back.
        const given = wanted.map(([flow, length, more]) =>
          flow === UNORDERED
            ? ([flow, Math.min(room, length), false] as const)
            : ([flow, length, more] as const),
        );
        const { got, torn, waits } = packed(room, given);
        for (const flow of [1, 2, UNORDERED])
          expect(got.filter(([i]) => given[i]?.[0] === flow)).toEqual(
            given.flatMap(([of, length], i) => (of === flow ? [[i & 255, length]] : [])),
          );
        expect([torn, waits]).toEqual([0, -1]);
      }),
    );
  });
});

describe("datagrams of UDT as plaintexts", () => {
  test("of data: all but what both ends know", () => {
    const own = memory(IN_FRONT + 100);
    const data = "00000005 e0000009 00000abc 0000002a";
    own.bytes.set(Buffer.from(data.replaceAll(" ", ""), "hex"));
    own.bytes.set(part({ flow: 9, number: 4 }, 0xee, 2), IN_FRONT);
    const length = wrap(own, IN_FRONT, IN_FRONT + 2 + TAIL, 77, 88);
    const tag = tagOf(77, 88).toString(16).padStart(4, "0");
    const plain = own.bytes.slice(IN_FRONT, IN_FRONT + length).toHex();
    expect(plain).toBe(`eeee${"033009000004"}${tag}${"00000005"}${"00000abc"}`);
    expect(isControl(own, IN_FRONT, length)).toBe(false);
    expect(unwrapData(own, IN_FRONT, length, tagOf(88, 77), 42)).toBe(0);
    own.bytes.fill(0, 0, IN_FRONT);
    expect(unwrapData(own, IN_FRONT, length, tagOf(77, 88), 42)).toBe(IN_FRONT + 2 + TAIL);
    // The number of the message is another: each is one datagram, and nobody asks for it.
    expect(own.bytes.slice(0, IN_FRONT).toHex()).toBe("00000005c000000100000abc0000002a");
  });

  test("of control: as it is, and between whom", () => {
    const own = memory(IN_FRONT + 100);
    own.bytes.set(Buffer.from("80020000000000010000000200000003aabbccdd", "hex"));
    const length = wrap(own, IN_FRONT, 20, 0x77, 0x88);
    expect(isControl(own, IN_FRONT, length)).toBe(true);
    expect(own.bytes.slice(IN_FRONT, IN_FRONT + length).toHex()).toBe(
      "80020000000000010000000200000003aabbccdd" + "03ffff000000" + "0000007700000088" + "0000",
    );
  });
});
