import { expect, test } from "bun:test";

import { Aimd } from "../../../src/wire/udt/congestion/aimd.ts";
import { Bbr } from "../../../src/wire/udt/congestion/bbr.ts";
import { FixedRate } from "../../../src/wire/udt/congestion/fixed.ts";
import { UdtConnection, type UdtOptions } from "../../../src/wire/udt/connection.ts";
import type { WanOptions } from "../../fake/wan.ts";
import { ADDRESS, counting, nothing, pouring, reading, World } from "./two-ends.ts";

const SECOND = 1_000_000;
const MB = 1_000_000;

const CONGESTION = {
  bbr: () => new Bbr(),
  udt: () => new Aimd(),
  fixed: () => new FixedRate(50e6, 1500),
};
type Row = {
  story: string;
  link: WanOptions;
  size?: number;
  within?: number;
  client?: Partial<UdtOptions>;
  turn?: number;
};
const bad = { delay: 20_000, rate: 100e6 };
const LINKS: readonly Row[] = [
  { story: "a clean one", link: bad },
  { story: "one with 1 % loss", link: { ...bad, loss: 0.01 } },
  {
    story: "one with 5 % loss, reordering and duplicates",
    link: { ...bad, loss: 0.05, reorder: 0.05, duplicate: 0.05 },
  },
  { story: "one with 30 % loss", link: { ...bad, loss: 0.3 }, size: MB, within: 120 },
  { story: "one that reorders half of it", link: { ...bad, reorder: 0.5, late: 8_000 } },
  { story: "one with a short queue", link: { ...bad, queue: 30_000 } },
  { story: "numbers that wrap on the way", link: bad, client: { initial: 0x7fff_fe00 } },
  { story: "small packets", link: bad, client: { mss: 576 } },
  { story: "a small buffer", link: bad, client: { sendPackets: 64 } },
  { story: "an event loop that turns each ms", link: { ...bad, loss: 0.01 }, turn: 1_000 },
];
const ROWS = LINKS.flatMap((row) =>
  (["bbr", "udt", "fixed"] as const).map((cc) => ({ ...row, cc })),
);

test.each(ROWS)("$cc, over $story: all of it arrives as it was sent", ({ link, cc, ...row }) => {
  const { size = 3 * MB, within = 60, client = {}, turn = 0 } = row;
  const world = new World(link, link, turn);
  const sent = pouring(size);
  const got = reading();
  const pair = world.pair({
    client,
    congestion: CONGESTION[cc],
    clientProgram: sent,
    serverProgram: got,
  });
  world.run(within * SECOND, () => pair.server()?.state === "closed");
  expect([got.bytes, pair.client.end, pair.server()?.end]).toEqual([
    size,
    "closed here",
    "closed by the peer",
  ]);
  expect(got.hash.digest("hex")).toBe(sent.hash.digest("hex"));
});

test("both ways at once", () => {
  const world = new World({ ...bad, loss: 0.02 });
  const [here, there] = [counting(), counting()];
  const out = [pouring(), pouring()] as const;
  world.pair({
    clientProgram: (end, now) => {
      out[0](end, now);
      here(end, now);
    },
    serverProgram: (end, now) => {
      out[1](end, now);
      there(end, now);
    },
  });
  world.run(5 * SECOND);
  expect(here.bytes).toBeGreaterThan(30 * MB);
  expect(there.bytes).toBeGreaterThan(30 * MB);
});

test.each([
  { story: "nobody is there", loss: 1, end: "no answer", after: 3 },
  { story: "the line dies", loss: 0, end: "peer is silent", after: 46 },
] as const)("$story: $end", ({ loss, end, after }) => {
  const world = new World({ delay: 1_000, loss });
  const { client } = world.pair({});
  if (loss === 0) world.run(SECOND);
  expect(client.state).toBe(loss === 0 ? "open" : "connecting");
  const begun = world.now;
  world.there.down = world.back.down = true;
  world.run(100 * SECOND, () => client.state === "broken");
  expect(client.end).toBe(end);
  expect(Math.round((world.now - begun) / SECOND)).toBe(after);
  expect(client.wakeAt()).toBe(Infinity);
});

test("who listens for messages refuses streams", () => {
  const world = new World({ delay: 1_000 });
  const { client, server } = world.pair({ server: { kind: "message" } });
  world.run(SECOND);
  expect([client.state, client.end, server()]).toEqual(["broken", "refused", undefined]);
});

test("a full house refuses", () => {
  const world = new World({ delay: 1_000 });
  const { client } = world.pair({ server: { most: 0 } });
  world.run(SECOND);
  expect(client.end).toBe("refused");
});

test("an idle connection lives, with a word now and then", () => {
  const world = new World({ delay: 10_000 });
  const { client, server } = world.pair({});
  world.run(120 * SECOND);
  expect([client.state, server()?.state]).toEqual(["open", "open"]);
  const words = (world.there.sent + world.back.sent) / 120;
  expect(words).toBeGreaterThan(1);
  expect(words).toBeLessThan(10);
});

test("after an idle while in which clocks of 32 bits wrap, all is as before", () => {
  const world = new World({ ...bad, loss: 0.01 });
  const got = counting();
  const { client } = world.pair({ serverProgram: got });
  const move = (seconds: number): void => {
    const bytes = new Uint8Array(100_000);
    for (let i = 0; i < seconds * 100; i++) {
      client.send(bytes, 0, bytes.length);
      world.run(10_000);
    }
  };
  move(2);
  for (const minutes of [40, 80]) {
    world.run(minutes * 60 * SECOND);
    expect(client.unacknowledged).toBe(0);
    const before = got.bytes;
    move(2);
    expect(got.bytes - before).toBeGreaterThan(18 * MB);
  }
});

test("a line that is down for five seconds is used again within one", () => {
  const world = new World(bad);
  const got = counting();
  const { client } = world.pair({ clientProgram: pouring(), serverProgram: got });
  world.run(5 * SECOND);
  world.there.down = world.back.down = true;
  world.run(5 * SECOND);
  world.there.down = world.back.down = false;
  const before = got.bytes;
  world.run(2 * SECOND);
  expect(client.state).toBe("open");
  expect(got.bytes - before).toBeGreaterThan(10 * MB);
});

test("a reader who does not read stops the sender, and starts it again", () => {
  const world = new World({ ...bad, loss: 0.01 });
  const sent = pouring();
  const got = counting();
  let reads = false;
  const { client, server } = world.pair({
    clientProgram: sent,
    serverProgram: (end, now) => {
      if (reads) got(end, now);
    },
    server: { receivePackets: 256 },
  });
  world.run(5 * SECOND);
  expect(server()?.stats.packetsReceived).toBe(256);
  const idle = client.stats.packetsSent;
  world.run(5 * SECOND);
  expect(client.stats.packetsSent - idle).toBeLessThan(100); // it asks whether there is room
  reads = true;
  world.run(2 * SECOND);
  expect(got.bytes).toBeGreaterThan(2 * MB);
});

test("the last packet lost is sent again long before the timeout", () => {
  const world = new World({ delay: 10_000 });
  const got = counting();
  const { client } = world.pair({ serverProgram: got });
  world.run(SECOND);
  client.send(new Uint8Array(100), 0, 100);
  world.there.down = true;
  world.run(50_000);
  world.there.down = false;
  world.run(150_000);
  expect(got.bytes).toBe(100);
});

test("close waits until all is there, abort does not", () => {
  const world = new World({ delay: 50_000, rate: 10e6 });
  const got = counting();
  const { client, server } = world.pair({ serverProgram: got });
  world.run(SECOND);
  const bytes = new Uint8Array(2 * MB);
  client.send(bytes, 0, bytes.length);
  client.close(world.now);
  expect([client.state, client.send(bytes, 0, 10)]).toEqual(["closing", 0]);
  world.run(100_000);
  expect(client.state).toBe("closing");
  client.abort();
  world.run(300_000);
  expect([client.state, server()?.end]).toEqual(["closed", "closed by the peer"]);
  expect(got.bytes).toBeLessThan(bytes.length);
});

test.each([
  { story: "the first farewell", downFor: 10_000, left: "closed by the peer" },
  { story: "two of them", downFor: 100_000, left: "closed by the peer" },
  { story: "all of them", downFor: 2_000_000, left: "" },
] as const)("$story may be lost: the peer is $left", ({ downFor, left }) => {
  const world = new World({ delay: 10_000 });
  const { client, server } = world.pair({});
  world.run(SECOND);
  world.there.down = true;
  client.abort();
  expect([client.state, client.done]).toEqual(["closed", false]);
  world.run(downFor);
  world.there.down = false;
  world.run(SECOND / 2);
  expect([server()?.end, client.done]).toEqual([left, true]);
  expect(client.wakeAt()).toBe(Infinity);
});

test("a farewell that was heard is answered, and not said again", () => {
  const world = new World({ delay: 10_000 });
  const { client, server } = world.pair({});
  world.run(SECOND);
  const before = world.there.sent;
  client.abort();
  world.run(25_000);
  expect([client.done, server()?.done]).toEqual([true, true]);
  expect(world.there.sent - before).toBe(1);
});

/** What a datagram of a client to `peerAddress` has room for. */
test.each([
  { story: "IPv4", peerAddress: ADDRESS, mss: 1_500, room: 1_472 },
  { story: "IPv6", peerAddress: new Uint8Array(16), mss: 1_500, room: 1_452 },
  { story: "IPv6, a longer packet", peerAddress: new Uint8Array(16), mss: 9_000, room: 8_952 },
])("over $story packets of $mss bytes: $room", ({ peerAddress, mss, room }) => {
  const world = new World({});
  expect(world.pair({ client: { peerAddress, mss } }).client.datagramSize).toBe(room);
});

test("linger has an end", () => {
  const world = new World({ delay: 1_000 });
  const { client } = world.pair({ client: { lingerMs: 2_000 } });
  world.run(SECOND);
  world.there.down = true;
  client.send(new Uint8Array(10), 0, 10);
  client.close(world.now);
  world.run(1_900_000);
  expect(client.state).toBe("closing");
  world.run(200_000);
  expect(client.state).toBe("closed");
});

test.each([
  { story: "over a clean line", loss: 0 },
  { story: "over one with 20 % loss", loss: 0.2 },
])("two meet halfway $story", ({ loss }) => {
  const world = new World({ delay: 30_000, loss });
  const make = (id: number, initial: number): UdtConnection =>
    new UdtConnection({
      kind: "stream",
      role: "rendezvous",
      id,
      initial,
      peerAddress: ADDRESS,
      congestion: new Bbr(),
      now: world.now,
    });
  const [a, b] = [make(7, 100), make(8, 0x7fff_fff0)];
  const [fromA, fromB] = [pouring(200_000, false), pouring(300_000, false)];
  const [atA, atB] = [reading(), reading()];
  world.meet(a, b, [
    (end, now) => {
      atA(end, now);
      fromA(end, now);
    },
    (end, now) => {
      atB(end, now);
      fromB(end, now);
    },
  ]);
  world.run(60 * SECOND, () => atA.bytes + atB.bytes === 500_000);
  expect([atA.bytes, atB.bytes]).toEqual([300_000, 200_000]);
  expect(atA.hash.digest("hex")).toBe(fromB.hash.digest("hex"));
});

test("pieces that are sent one by one are one packet, or as many as pieces", () => {
  for (const [coalesce, packets] of [
    [true, 1],
    [false, 10],
  ] as const) {
    const world = new World({ delay: 1_000 });
    const { client, server } = world.pair({ client: { coalesce }, serverProgram: nothing });
    world.run(SECOND);
    for (let i = 0; i < 10; i++) client.send(new Uint8Array(20), 0, 20);
    world.run(SECOND);
    expect([server()?.readable, server()?.stats.packetsReceived]).toEqual([
      coalesce ? 200 : 20,
      packets,
    ]);
  }
});
