import { describe, expect, test } from "bun:test";

import fc from "fast-check";

import { Cutter } from "../../../src/wire/tunnel/cut.ts";
import { JOIN_ROOM, Joiner, TAKEN } from "../../../src/wire/tunnel/join.ts";
import { onTheWire, type Uncut, uncut } from "./segments.ts";

const ROOM = 1428;

function memory(size: number) {
  const buffer = new ArrayBuffer(size);
  return { bytes: new Uint8Array(buffer), view: new DataView(buffer) };
}

/** The plaintexts of a packet. */
function cut(packet: Uint8Array, room = ROOM, cutter?: Cutter): Uint8Array[] {
  const at = 7; // anywhere
  const inside = memory(at + packet.length + 100 + room);
  const mine = cutter ?? new Cutter(inside, room);
  inside.bytes.set(packet, at);
  const to = at + packet.length + 50;
  return Array.from({ length: mine.begin(at, packet.length) }, (_, i) =>
    inside.bytes.slice(to, to + mine.piece(i, to)),
  );
}

/** Packets for the TUN device at the other end. */
function join(plain: readonly Uint8Array[], { udp = true, flushes = [] as number[] } = {}) {
  const inside = memory(JOIN_ROOM + 33);
  const made: Uint8Array[] = [];
  const write = (at: number, length: number): void =>
    void made.push(inside.bytes.slice(at, at + length));
  const joiner = new Joiner(inside, 33, { udp, write });
  const taken = plain.map((one, i) => {
    inside.bytes.set(one, joiner.next);
    const kind = joiner.take(one.length);
    if (flushes.includes(i)) joiner.flush();
    return kind;
  });
  joiner.flush();
  return { made, taken };
}

const payload = (length: number): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => (i * 7 + (i >> 8)) & 255);

const rows: (Uncut & { story: string; pieces: number })[] = [
  {
    story: "a full frame of TCP",
    version: 4,
    layer4: "tcp",
    payload: payload(64_000),
    size: 1328,
    pieces: 49,
  },
  {
    story: "over IPv6",
    version: 6,
    layer4: "tcp",
    payload: payload(64_000),
    size: 1308,
    pieces: 49,
  },
  {
    story: "pieces that fit exactly",
    version: 4,
    layer4: "tcp",
    payload: payload(2656),
    size: 1328,
    pieces: 2,
  },
  { story: "one piece", version: 4, layer4: "tcp", payload: payload(1000), size: 1328, pieces: 1 },
  {
    story: "an acknowledgement",
    version: 4,
    layer4: "tcp",
    payload: payload(0),
    size: 1328,
    pieces: 1,
  },
  {
    story: "FIN, PSH and CWR",
    version: 4,
    layer4: "tcp",
    payload: payload(4000),
    size: 1328,
    flags: 0x99,
    ecn: true,
    pieces: 4,
  },
  {
    story: "datagrams of QUIC",
    version: 6,
    layer4: "udp",
    payload: payload(12_345),
    size: 1200,
    pieces: 11,
  },
  {
    story: "a path shorter than TCP thinks",
    version: 4,
    layer4: "tcp",
    payload: payload(64_000),
    size: 1400,
    pieces: 48,
  },
];

test.each(rows)("$story", ({ pieces, ...wanted }) => {
  const packet = uncut(wanted);
  const plain = cut(packet);
  expect(plain).toHaveLength(pieces);
  for (const one of plain) expect(one.length).toBeLessThanOrEqual(ROOM);
  const { made, taken } = join(plain);
  expect(taken.every((kind) => kind === TAKEN.packet)).toBe(true);
  expect(made).toHaveLength(1);
  const [whole = new Uint8Array()] = made;
  expect(Buffer.from(whole.subarray(10)).equals(Buffer.from(packet.subarray(10)))).toBe(true);
  expect(onTheWire(whole).length).toBe(pieces);
});

test.each([
  { story: "no packet at all", packet: new Uint8Array(12) },
  {
    story: "too long for the path, and not to be cut",
    packet: uncut({ version: 4, layer4: "udp", payload: payload(1440), size: 2000 }),
  },
  {
    story: "uncut datagrams too long for the path",
    packet: uncut({ version: 4, layer4: "udp", payload: payload(6000), size: 1450 }),
  },
  {
    story: "uncut, but summed",
    packet: uncut({ version: 4, layer4: "tcp", payload: payload(6000), size: 1000 }).with(0, 0),
  },
  {
    story: "a kind nobody knows",
    packet: uncut({ version: 4, layer4: "tcp", payload: payload(6000), size: 1000 }).with(1, 3),
  },
  {
    story: "pieces of nothing",
    packet: uncut({ version: 4, layer4: "tcp", payload: payload(6000), size: 1000 })
      .with(4, 0)
      .with(5, 0),
  },
])("$story: refused", ({ packet }) => {
  expect(cut(packet)).toEqual([]);
});

test("without UDP offload every datagram is a packet of its own", () => {
  const packet = uncut({ version: 4, layer4: "udp", payload: payload(5000), size: 1000 });
  const { made } = join(cut(packet), { udp: false });
  expect(made.map((one) => one[1])).toEqual([0, 0, 0, 0, 0]);
  expect(made.flatMap(onTheWire)).toEqual(onTheWire(packet));
});

describe("whatever is lost, the rest is what the kernel would have cut", () => {
  const packets = fc.record({
    version: fc.constantFrom(4 as const, 6 as const),
    layer4: fc.constantFrom("tcp" as const, "udp" as const),
    payload: fc.integer({ min: 1, max: 65_000 - 100 }).map(payload),
    size: fc.integer({ min: 200, max: 1300 }),
    options: fc.constantFrom(0, 12, 40),
    flags: fc.integer({ min: 0, max: 255 }),
  });
  test("lost, swapped, doubled, flushed in between", () => {
    fc.assert(
      fc.property(packets, packets, fc.infiniteStream(fc.nat(99)), (one, two, dice) => {
        const roll = (): number => dice.next().value as number;
        const sent = [one, two].map((wanted) => ({
          packet: uncut(wanted),
          pieces: cut(uncut(wanted)),
        }));
        const all = sent.flatMap(({ packet, pieces }) => {
          const wire = onTheWire(packet);
          expect(pieces).toHaveLength(wire.length);
          return pieces.map((plain, i) => ({ plain, wire: wire[i] ?? "" }));
        });
        const came = all.flatMap((piece) =>
          roll() < 5 ? [] : roll() < 5 ? [piece, piece] : [piece],
        );
        for (let i = 1; i < came.length; i++)
          if (roll() < 5) [came[i - 1], came[i]] = [came[i]!, came[i - 1]!]; // both are there
        const flushes = came.flatMap((_, i) => (roll() < 5 ? [i] : []));
        const { made } = join(
          came.map(({ plain }) => plain),
          { flushes },
        );
        expect(made.flatMap(onTheWire)).toEqual(came.map(({ wire }) => wire));
      }),
      { numRuns: 60 },
    );
  });
});

test("no plaintext, however wrong, makes a packet beyond its bytes, or throws", () => {
  const good = fc.constantFrom(
    ...cut(uncut({ version: 4, layer4: "tcp", payload: payload(9000), size: 1000 })),
  );
  const bent = fc
    .tuple(good, fc.array(fc.tuple(fc.integer({ min: 1, max: 24 }), fc.nat(255)), { maxLength: 4 }))
    .map(([plain, bends]) => {
      const copy = plain.slice();
      for (const [back, value] of bends) copy[copy.length - back] = value;
      return copy;
    });
  fc.assert(
    fc.property(
      fc.array(fc.oneof(bent, fc.uint8Array({ maxLength: 1500 })), { maxLength: 60 }),
      (all) => {
        for (const packet of join(all).made) expect(packet.length).toBeLessThanOrEqual(65_535 + 10);
      },
    ),
    { numRuns: 500 },
  );
});
