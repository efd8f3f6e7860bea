import { expect } from "bun:test";

import fc from "fast-check";

import { Cutter } from "../../../src/wire/tunnel/cut.ts";
import { JOIN_ROOM, Joiner, TAKEN } from "../../../src/wire/tunnel/join.ts";
import { clampMss } from "../../../src/wire/tunnel/mss.ts";
import { parseProbe, type Probe } from "../../../src/wire/tunnel/probe.ts";
import { whole } from "../../../src/wire/tunnel/uncut.ts";
import { GSO, VNET_HEADER } from "../../../src/wire/tunnel/vnet.ts";
import { parseWgConf } from "../../../src/wire/tunnel/wg-conf.ts";
import { onTheWire, uncut } from "./segments.ts";

export const ROOM = 1428;

function memory(size: number) {
  const buffer = new ArrayBuffer(size);
  return { bytes: new Uint8Array(buffer), view: new DataView(buffer) };
}

/** The plaintexts of a packet. */
export function cut(packet: Uint8Array, room = ROOM, cutter?: Cutter): Uint8Array[] {
  const at = 7; // anywhere
  const inside = memory(at + packet.length + 100 + room);
  const mine = cutter ?? new Cutter(inside, room);
  inside.bytes.set(packet, at);
  const to = at + packet.length + 50;
  return Array.from({ length: mine.begin(at, packet.length) }, (_, i) =>
    inside.bytes.slice(to, to + mine.piece(i, to)),
  );
}

/** The plaintext of a whole packet that is made where the packet stands. */
function cutInPlace(packet: Uint8Array): Uint8Array {
  const inside = memory(packet.length + ROOM);
  inside.bytes.set(packet);
  const cutter = new Cutter(inside, ROOM);
  expect(cutter.begin(0, packet.length)).toBe(1);
  return inside.bytes.slice(VNET_HEADER, VNET_HEADER + cutter.piece(0, VNET_HEADER));
}

/** The plaintext of a packet that is not cut; none when it is no packet. */
export function uncutPlain(packet: Uint8Array): Uint8Array[] {
  const inside = memory(packet.length + 50);
  inside.bytes.set(packet, 7);
  const length = whole(inside, 7, packet.length);
  return length === 0 ? [] : [inside.bytes.slice(7 + VNET_HEADER, 7 + VNET_HEADER + length)];
}

/** Packets for the TUN device at the other end. */
export function join(plain: readonly Uint8Array[], { udp = true, flushes = [] as number[] } = {}) {
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

/** Bytes that are not all alike. */
export const payload = (length: number): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => (i * 7 + (i >> 8)) & 255);

const packets = fc.record({
  version: fc.constantFrom(4 as const, 6 as const),
  layer4: fc.constantFrom("tcp" as const, "udp" as const),
  payload: fc.integer({ min: 1, max: 65_000 - 100 }).map(payload),
  size: fc.integer({ min: 200, max: 1300 }),
  options: fc.constantFrom(0, 12, 40),
  flags: fc.integer({ min: 0, max: 255 }),
});

/** Lost, swapped, doubled, flushed in between: the rest is what the kernel would have cut. */
export const joinsWhatIsThere = fc.property(
  packets,
  packets,
  fc.infiniteStream(fc.nat(99)),
  (one, two, dice) => {
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
    const came = all.flatMap((piece) => (roll() < 5 ? [] : roll() < 5 ? [piece, piece] : [piece]));
    for (let i = 1; i < came.length; i++)
      if (roll() < 5) [came[i - 1], came[i]] = [came[i]!, came[i - 1]!]; // both are there
    const flushes = came.flatMap((_, i) => (roll() < 5 ? [i] : []));
    const { made } = join(
      came.map(({ plain }) => plain),
      { flushes },
    );
    expect(made.flatMap(onTheWire)).toEqual(came.map(({ wire }) => wire));
  },
);

/** Small packets of a few flows: those alike become one, and on the wire nobody sees it. */
export const joinsDatagrams = fc.property(
  fc.array(
    fc.record({
      version: fc.constantFrom(4 as const, 6 as const),
      layer4: fc.constantFrom("udp" as const, "udp" as const, "udp" as const, "tcp" as const),
      payload: fc.constantFrom(0, 1, 600, 1200, 1200, 1200, 1200).map(payload),
      port: fc.constantFrom(1, 1, 1, 1, 2),
      skip: fc.constantFrom(0, 0, 0, 0, 0, 3),
    }),
    { maxLength: 200 },
  ),
  fc.array(fc.nat(200)),
  fc.boolean(),
  (wanted, flushes, udp) => {
    let id = 0xff80;
    const sent = wanted.map(({ skip, ...one }) =>
      uncut({ ...one, size: 1400, id: (id += 1 + skip) & 0xffff }),
    );
    const { made } = join(
      sent.flatMap((packet) => cut(packet)),
      { udp, flushes },
    );
    expect(made.flatMap(onTheWire)).toEqual(sent.flatMap(onTheWire));
  },
);

/** A packet that goes as it is comes as it was, in pieces only where the kernel wants them. */
export const staysWhole = fc.property(packets, fc.boolean(), (wanted, udp) => {
  const packet = uncut(wanted);
  const { made, taken } = join(uncutPlain(packet), { udp });
  expect(taken).toEqual([TAKEN.packet]);
  expect(made.flatMap(onTheWire)).toEqual(onTheWire(packet));
  if (udp || wanted.layer4 === "tcp") expect(made[0]?.subarray(10)).toEqual(packet.subarray(10));
});

const good = fc.constantFrom(
  ...uncutPlain(uncut({ version: 6, layer4: "tcp", payload: payload(3000), size: 1000 })),
  ...uncutPlain(uncut({ version: 4, layer4: "udp", payload: payload(3000), size: 1000 })),
  ...cut(uncut({ version: 4, layer4: "tcp", payload: payload(9000), size: 1000 })),
);
const bent = fc
  .tuple(good, fc.array(fc.tuple(fc.integer({ min: 1, max: 24 }), fc.nat(255)), { maxLength: 4 }))
  .map(([plain, bends]) => {
    const copy = plain.slice();
    for (const [back, value] of bends) copy[copy.length - back] = value;
    return copy;
  });

/** No plaintext, however wrong, makes a packet beyond its bytes, or throws. */
export const joinsAnything = fc.property(
  fc.array(fc.oneof(bent, fc.uint8Array({ maxLength: 1500 })), { maxLength: 60 }),
  (all) => {
    for (const packet of join(all).made) expect(packet.length).toBeLessThanOrEqual(65_535 + 10);
  },
);

/** No packet of a device, however wrong, throws or makes a plaintext that does not fit. */
export const cutsAnything = fc.property(
  fc.oneof(
    fc.uint8Array({ maxLength: 3000 }),
    fc
      .tuple(packets, fc.array(fc.tuple(fc.nat(70), fc.nat(255)), { maxLength: 4 }))
      .map(([wanted, bends]) => {
        const packet = uncut(wanted);
        for (const [at, value] of bends) packet[at] = value;
        return packet;
      }),
  ),
  (packet) => {
    const all = cut(packet);
    for (const plain of uncutPlain(packet)) join([plain]);
    for (const plain of all) expect(plain.length).toBeLessThanOrEqual(ROOM);
    const [first] = all;
    if (first !== undefined && packet[1] === GSO.none) expect(cutInPlace(packet)).toEqual(first);
  },
);

/** Clamping touches nothing behind the packet, and throws at nothing. */
export const clampsAnything = fc.property(
  fc.uint8Array({ minLength: 1, maxLength: 80 }),
  fc.boolean(),
  (given, tcp) => {
    const bytes = new Uint8Array(120).fill(7);
    bytes.set(given);
    if (tcp && given.length > 40) {
      bytes[0] = 0x45;
      bytes[9] = 6;
      bytes[6] = bytes[7] = 0;
      bytes[33] = 2;
    }
    clampMss({ bytes, view: new DataView(bytes.buffer) }, 0, given.length, 576, false);
    expect(bytes.subarray(given.length).every((byte) => byte === 7)).toBe(true);
  },
);

/** No bytes are a probe that throws. */
export const readsAnything = fc.property(fc.uint8Array({ maxLength: 60 }), (given) => {
  const bytes = Uint8Array.from(given);
  const probe: Probe = { kind: 0, length: 0, number: 0, time: 0, sent: 0, received: 0 };
  parseProbe({ bytes, view: new DataView(bytes.buffer) }, 0, bytes.length, probe);
  parseWgConf(String.fromCharCode(...bytes));
});
