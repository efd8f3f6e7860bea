import { expect, test } from "bun:test";

import fc from "fast-check";

import { TAKEN } from "../../../src/wire/tunnel/join.ts";
import { onTheWire, type Uncut, uncut } from "./segments.ts";
import * as properties from "./tunnel.properties.ts";
import { cut, join, payload, ROOM, uncutPlain } from "./tunnel.properties.ts";

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
])("$story: refused", ({ story, packet }) => {
  expect(cut(packet)).toEqual([]);
  // What is too long for the path may go in parts.
  expect(uncutPlain(packet)).toHaveLength(story.includes("too long") ? 1 : 0);
});

test("without UDP offload every datagram is a packet of its own", () => {
  const packet = uncut({ version: 4, layer4: "udp", payload: payload(5000), size: 1000 });
  const { made } = join(cut(packet), { udp: false });
  expect(made.map((one) => one[1])).toEqual([0, 0, 0, 0, 0]);
  expect(made.flatMap(onTheWire)).toEqual(onTheWire(packet));
});

test("what is not cut stays whole, but for a kernel that does not take UDP so", () =>
  fc.assert(properties.staysWhole, { numRuns: 60 }));
test("whatever is lost, the rest is what the kernel would have cut", () =>
  fc.assert(properties.joinsWhatIsThere, { numRuns: 60 }));
test("datagrams that are alike become one packet, unseen", () =>
  fc.assert(properties.joinsDatagrams, { numRuns: 200 }));
test("a hundred datagrams of one flow are two packets", () => {
  const sent = Array.from({ length: 100 }, (_, i) =>
    uncut({ version: 4, layer4: "udp", payload: payload(500), size: 1400, id: i }),
  );
  const { made } = join(sent.flatMap((packet) => cut(packet)));
  expect(made).toHaveLength(2);
  expect(made.flatMap(onTheWire)).toEqual(sent.flatMap(onTheWire));
});
test("no plaintext makes a packet beyond its bytes", () =>
  fc.assert(properties.joinsAnything, { numRuns: 500 }));
test("no packet makes a plaintext that does not fit", () => fc.assert(properties.cutsAnything));
