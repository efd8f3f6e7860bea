import { expect, test } from "bun:test";

import fc from "fast-check";

import { UdtAccept } from "../../../src/wire/udt/accept.ts";
import { Bbr } from "../../../src/wire/udt/congestion/bbr.ts";
import { Ask, emitHandshake, parseHandshake } from "../../../src/wire/udt/handshake.ts";
import { Control, HEADER, putControl, putWord, socketId } from "../../../src/wire/udt/packet.ts";
import * as hostile from "./hostile.properties.ts";
import { ADDRESS, World } from "./two-ends.ts";

const MINUTE = 60_000_000;

test("whatever comes, it stays sane", () => {
  fc.assert(hostile.staysSane);
});
test("nothing is kept of strangers", () => {
  fc.assert(hostile.keepsNothingOfStrangers);
});
test("and nobody is let in who was not asked", () => {
  fc.assert(hostile.greetsSoberly);
});

// libudt breaks the connection on these; whoever can guess a socket id could so end it.
test.each([
  { story: "acknowledges what was never sent", control: Control.ack, words: [12_400, 1, 1, 9] },
  { story: "the same, light", control: Control.ack, words: [12_400] },
  { story: "misses what was never sent", control: Control.nak, words: [12_400] },
  {
    story: "misses a range the wrong way round",
    control: Control.nak,
    words: [0x8000_0000 + 12_346, 12_345],
  },
  {
    story: "begins a range and does not end it",
    control: Control.nak,
    words: [0x8000_0000 + 12_345],
  },
  { story: "drops messages of a stream", control: Control.drop, words: [12_345, 12_350] },
  { story: "sends what nobody defined", control: 0x7ff0 as Control, words: [0] },
])("a peer that $story is counted and not believed", ({ control, words }) => {
  const world = new World({ delay: 1_000 });
  const { client, server } = world.pair({});
  world.run(100_000);
  const bytes = new Uint8Array(100);
  putControl(bytes, 0, control, 1, 0, client.id);
  words.forEach((word, i) => putWord(bytes, HEADER + 4 * i, word));
  const before = client.stats.nonsense;
  client.receive(bytes, 0, HEADER + 4 * words.length, world.now);
  expect(client.stats.nonsense).toBe(before + 1);
  client.send(bytes, 0, 100);
  world.run(100_000);
  expect([client.state, server()?.readable]).toEqual(["open", 100]);
});

// Found by test/fuzz: all that is between was taken for dropped, until there was no more memory.
test.each([
  { story: "from half of all numbers away to behind us", first: 0x4000_0000, last: 0x571c_41be },
  { story: "from here to half of all numbers away", first: 12_345, last: 0x3fff_ffff },
  { story: "beyond the window", first: 12_345 + 64, last: 12_345 + 64 },
  { story: "the wrong way round", first: 12_350, last: 12_346 },
])("a peer that drops messages $story is counted and not believed", ({ first, last }) => {
  const world = new World({ delay: 1_000 });
  const { client, server } = world.pair({
    client: { kind: "message" },
    server: { kind: "message", receivePackets: 64 },
  });
  world.run(100_000);
  const here = server();
  if (here === undefined) throw new Error("not connected");
  const bytes = new Uint8Array(HEADER + 8);
  putControl(bytes, 0, Control.drop, 1, 0, here.id);
  putWord(bytes, HEADER, first);
  putWord(bytes, HEADER + 4, last);
  here.receive(bytes, 0, bytes.length, world.now);
  expect(here.stats.nonsense).toBe(1);
  client.sendMessage(Uint8Array.of(7), {}, world.now);
  world.run(100_000);
  expect([here.readMessage(bytes, 0, 1), bytes[0]]).toEqual([1, 7]);
});

test("data far beyond the window is not kept", () => {
  const world = new World({ delay: 1_000 });
  const { server } = world.pair({ server: { receivePackets: 64 } });
  world.run(100_000);
  const bytes = new Uint8Array(20);
  for (const seq of [12_345 + 64, 12_345 + 1_000_000]) {
    putWord(bytes, 0, seq);
    putWord(bytes, 12, server()?.id ?? 0);
    server()?.receive(bytes, 0, 20, world.now);
  }
  expect(server()?.stats).toMatchObject({ overflowed: 2, packetsReceived: 0 });
});

function listener(): UdtAccept {
  return new UdtAccept({
    kind: "stream",
    cookie: (peer, minute) => (Bun.hash.crc32(`${peer} ${minute}`) ^ 0x5eed) >>> 0,
    id: () => 77,
    congestion: () => new Bbr(),
    most: 10,
  });
}

const HELLO = {
  version: 4,
  type: 1,
  initial: 99,
  mss: 1_500,
  window: 100,
  id: 5,
  address: new Uint8Array(16),
};

test.each([
  { story: "at once", cookieOf: "x", later: 0, in: true },
  { story: "a minute later", cookieOf: "x", later: 1, in: true },
  { story: "two minutes later", cookieOf: "x", later: 2, in: false },
  { story: "from another address", cookieOf: "y", later: 0, in: false },
])("the cookie opens $story: $in", ({ cookieOf, later, in: opens }) => {
  const accept = listener();
  const out = new Uint8Array(200);
  const ask = new Uint8Array(200);
  const begin = 7 * MINUTE + 1;
  let length = emitHandshake({ ...HELLO, ask: Ask.cookie, cookie: 0 }, 0, 0, ask, 0);
  length = accept.receive(ask, 0, length, cookieOf, ADDRESS, begin, out, 0);
  const offer = parseHandshake(out, 0, length);
  expect([offer?.ask, socketId(out, 0, length), accept.take()]).toEqual([1, HELLO.id, undefined]);
  const cookie = offer?.cookie ?? 0;
  length = emitHandshake({ ...HELLO, ask: Ask.connect, cookie }, 0, 0, ask, 0);
  const now = begin + later * MINUTE;
  const answer = accept.receive(ask, 0, length, "x", ADDRESS, now, out, 0);
  const connection = accept.take();
  expect([connection?.state, parseHandshake(out, 0, answer)?.id]).toEqual(
    opens ? ["open", 77] : [undefined, undefined],
  );
  if (connection === undefined) return;
  // The same again: our answer was lost. It is said again, and there is one connection.
  expect(accept.receive(ask, 0, length, "x", ADDRESS, now, out, 0)).toBe(answer);
  expect(accept.take()).toBeUndefined();
  accept.forget(connection);
  accept.receive(ask, 0, length, "x", ADDRESS, now, out, 0);
  expect(accept.take()).toBeDefined();
});
