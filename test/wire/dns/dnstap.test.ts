import { describe, expect, test } from "bun:test";

import fc from "fast-check";

import { TAP, type TapEvent, TapFrames } from "../../../src/wire/dns/dnstap.ts";

/** One field of Protocol Buffers: its number, and what it holds. */
type Field = readonly [number, number | Uint8Array];

/** A message of Protocol Buffers, as far as dnstap has it. */
function fields(bytes: Uint8Array): Field[] {
  const read: Field[] = [];
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = bytes[at++] as number;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const tag = varint();
    switch (tag & 7) {
      case 0:
        read.push([tag >>> 3, varint()]);
        break;
      case 2: {
        const length = varint();
        read.push([tag >>> 3, bytes.slice(at, at + length)]);
        at += length;
        break;
      }
      case 5:
        read.push([
          tag >>> 3,
          new DataView(bytes.buffer, bytes.byteOffset + at).getUint32(0, true),
        ]);
        at += 4;
        break;
      default:
        throw new Error(`wire type ${tag & 7}`);
    }
  }
  expect(at).toBe(bytes.length);
  return read;
}

/** What is in frames, one after the other. */
function frames(bytes: Uint8Array): Field[][] {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const all: Field[][] = [];
  for (let at = 0; at < bytes.length; at += 4 + view.getUint32(at))
    all.push(fields(bytes.slice(at + 4, at + 4 + view.getUint32(at))));
  return all;
}

const message = Uint8Array.of(1, 2, 3);
const event: TapEvent = {
  type: TAP.AUTH_QUERY,
  transport: "udp",
  client: Uint8Array.of(192, 0, 2, 7),
  port: 5353,
  wall: 1_800_000_000_250,
  message,
};
const UDP4 = [
  [2, 1],
  [3, 1],
  [4, event.client],
  [6, 5353],
] as const;
const client6 = new Uint8Array(16).fill(9);

describe("what is told", () => {
  test.each<{ story: string; event: TapEvent; inside: readonly Field[] }>([
    {
      story: "of a question over UDP",
      event,
      inside: [[1, 1], ...UDP4, [8, 1_800_000_000], [9, 250_000_000], [10, message]],
    },
    {
      story: "of its answer: the time of both",
      event: { ...event, type: TAP.AUTH_RESPONSE },
      inside: [
        [1, 2],
        ...UDP4,
        [8, 1_800_000_000],
        [9, 250_000_000],
        [12, 1_800_000_000],
        [13, 250_000_000],
        [14, message],
      ],
    },
    {
      story: "of one over TLS and IPv6",
      event: { ...event, transport: "tls", client: client6, port: 0 },
      inside: [
        [1, 1],
        [2, 2],
        [3, 3],
        [4, client6],
        [6, 0],
        [8, 1_800_000_000],
        [9, 250_000_000],
        [10, message],
      ],
    },
  ])("$story", ({ event: told, inside }) => {
    const tap = new TapFrames("ns1");
    tap.add(told);
    const [outside] = frames(tap.take());
    expect(outside?.map(([number]) => number)).toEqual([1, 14, 15]);
    expect(outside?.[0]).toEqual([1, new TextEncoder().encode("ns1")]);
    expect(outside?.[2]).toEqual([15, 1]);
    expect(fields(outside?.[1]?.[1] as Uint8Array)).toEqual([...inside]);
  });

  test("without an identity, and by HTTPS", () => {
    const tap = new TapFrames("");
    tap.add({ ...event, transport: "https" });
    const [outside] = frames(tap.take());
    expect(outside?.map(([number]) => number)).toEqual([14, 15]);
    expect(fields(outside?.[0]?.[1] as Uint8Array)[2]).toEqual([3, 4]);
  });
});

test("any messages of any length come out as they went in, in their order", () => {
  const message = fc.uint8Array({ maxLength: 20_000, size: "max" });
  const some = fc.array(fc.tuple(message, fc.nat(0xffff), fc.integer({ min: 0, max: 2 ** 42 })), {
    maxLength: 6,
  });
  fc.assert(
    fc.property(some, some, (...rounds) => {
      const tap = new TapFrames("a name");
      for (const round of rounds) {
        for (const [bytes, port, wall] of round) tap.add({ ...event, message: bytes, port, wall });
        expect(tap.count).toBe(round.length);
        const all = frames(tap.take()).map((outside) => fields(outside[1]?.[1] as Uint8Array));
        expect(tap.length + tap.count).toBe(0);
        expect(all.length).toBe(round.length);
        for (const [i, [bytes, port, wall]] of round.entries()) {
          const inside = new Map(all[i]);
          expect(Buffer.compare(inside.get(10) as Uint8Array, bytes)).toBe(0);
          const ms = (inside.get(8) as number) * 1000 + (inside.get(9) as number) / 1e6;
          expect([inside.get(6), ms]).toEqual([port, wall]);
        }
      }
    }),
    { numRuns: 30 },
  );
});
