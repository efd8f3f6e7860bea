import { describe, expect, test } from "bun:test";

import { TERN, WIREGUARD } from "../../../src/wire/noise/protocol.ts";
import { TwoEnds } from "./two-ends.ts";

const SECOND = 1000;
const handshakes = (world: TwoEnds): string[] =>
  world.log.filter((line) => /initiation|response/.test(line));

test("the first packet brings the handshake, and follows it", () => {
  const world = new TwoEnds();
  world.a.send("hello", world.now);
  world.until(2000);
  expect(world.log).toEqual(["a 1000 initiation", "b 1010 response", "a 1020 hello"]);
  expect(world.b.got).toEqual(["hello"]);
  world.b.send("you too", world.now);
  world.until(3000);
  expect(world.a.got).toEqual(["you too"]);
  expect([world.a.session.handshakeAt, world.b.session.handshakeAt]).toEqual([1020, 1030]);
});

test("without anything to send a handshake is confirmed by an empty packet", () => {
  const world = new TwoEnds({ keepalive: 25 * SECOND }, {});
  world.until(2000);
  expect(world.log).toEqual(["a 1000 initiation", "b 1010 response", "a 1020 keepalive"]);
  world.b.send("at once", world.now);
  world.until(2010);
  expect(world.a.got).toEqual(["at once"]);
});

test("two who begin at once understand one another", () => {
  const world = new TwoEnds();
  world.a.send("from a", world.now);
  world.b.send("from b", world.now);
  world.until(4000);
  expect([world.a.got, world.b.got]).toEqual([["from b"], ["from a"]]);
  for (let i = 0; i < 5; i++) {
    world.a.send(`a${i}`, world.now);
    world.b.send(`b${i}`, world.now);
    world.until(world.now + SECOND);
  }
  expect([world.a.got.length, world.b.got.length]).toEqual([6, 6]);
  expect(handshakes(world)).toEqual(["a 1000 initiation", "b 1000 initiation", "a 1010 response"]);
});

test("two who begin at once, when only one can be heard", () => {
  const world = new TwoEnds();
  // b has the higher key, and its initiations do not arrive.
  world.passes = (_, datagram) =>
    !("bytes" in datagram && datagram.bytes[0] === 1 && world.log.at(-1)?.startsWith("b"));
  world.a.send("from a", world.now);
  world.b.send("from b", world.now);
  world.until(7000);
  expect([world.a.got, world.b.got]).toEqual([["from b"], ["from a"]]);
});

test("silence is answered after 10 s, and asked about after 15", () => {
  const world = new TwoEnds();
  world.a.send("hello", world.now);
  world.until(60 * SECOND);
  expect(world.log.slice(2)).toEqual(["a 1020 hello", "b 11030 keepalive"]);
  world.passes = () => false;
  world.a.send("are you there", world.now);
  world.until(76 * SECOND);
  const [asked = ""] = handshakes(world).slice(2);
  expect(asked).toMatch(/^a 75\d\d\d initiation$/);
});

test("new keys every two minutes, by whoever began, while the old ones are still good", () => {
  const world = new TwoEnds();
  world.a.send("first", world.now);
  world.until(world.now + 100);
  for (let i = 0; i < 400; i++) {
    world.a.send(`a${i}`, world.now);
    world.b.send(`b${i}`, world.now);
    world.until(world.now + SECOND);
  }
  expect([world.a.got.length, world.b.got.length]).toEqual([400, 401]);
  const begun = handshakes(world).filter((line) => line.endsWith("initiation"));
  expect(begun.map((line) => Math.floor(Number(line.split(" ")[1]) / SECOND))).toEqual([
    1, 121, 242, 363,
  ]);
  expect(begun.every((line) => line.startsWith("a "))).toBe(true);
  expect([world.a.open, world.b.open]).toEqual([2, 2]); // the current one and the one before
  expect([world.a.indices.size, world.b.indices.size]).toEqual([2, 2]);
});

test("a peer that only receives gets new keys as well, before the old ones end", () => {
  const world = new TwoEnds();
  world.a.send("first", world.now); // so it is for a to begin
  world.until(world.now + SECOND);
  for (let i = 0; i < 300; i++) {
    world.b.send(`${i}`, world.now);
    world.until(world.now + SECOND);
  }
  expect(world.a.got.length).toBe(300);
  // a's keepalives carry it over 120 s; it never comes to 180.
  expect(handshakes(world).filter((line) => line.endsWith("initiation")).length).toBe(3);
});

test("after nine minutes without anything nothing is left", () => {
  const world = new TwoEnds();
  world.a.send("hello", world.now);
  world.until(100 * SECOND);
  expect([world.a.open, world.b.open]).toEqual([1, 1]);
  world.until(545 * SECOND);
  expect([world.a.open, world.b.open, world.a.indices.size, world.b.indices.size]).toEqual([
    0, 0, 0, 0,
  ]);
  expect([world.a.session.wake, world.b.session.wake]).toEqual([Infinity, Infinity]);
  world.b.send("again", world.now);
  world.until(600 * SECOND);
  expect(world.a.got).toEqual(["again"]);
});

test("an old key neither sends nor receives", () => {
  const world = new TwoEnds();
  world.a.send("hello", world.now);
  world.until(5 * SECOND);
  world.passes = (_, datagram) => !("bytes" in datagram); // no handshake gets through any more
  for (let i = 0; i < 200; i++) {
    world.a.send(`${i}`, world.now);
    world.until(world.now + SECOND);
  }
  expect(world.b.got.length).toBeLessThan(180);
  expect(world.b.got.length).toBeGreaterThan(170);
});

test("nobody there: every 5 s or a little more, for 90 s; then what waits is dropped", () => {
  const world = new TwoEnds();
  world.passes = () => false;
  world.a.send("hello", world.now);
  world.until(300 * SECOND);
  const times = handshakes(world).map((line) => Number(line.split(" ")[1]));
  expect(times.length).toBe(19);
  const gaps = times.slice(1).map((time, i) => time - (times[i] ?? 0));
  expect(Math.min(...gaps)).toBeGreaterThanOrEqual(5000);
  expect(Math.max(...gaps)).toBeLessThan(5334);
  expect(new Set(gaps).size).toBeGreaterThan(5);
  expect(world.a.unreachable).toBe(1);
  world.passes = () => true;
  world.until(301 * SECOND);
  world.a.send("now", world.now);
  world.until(302 * SECOND);
  expect(world.b.got).toEqual(["now"]);
});

test("between two of us one that is lost is sent again after a second, then more and more seldom", () => {
  const world = new TwoEnds({ protocol: TERN }, { protocol: TERN });
  world.passes = () => false;
  // What is to be sent all the time makes it no more often.
  for (let i = 0; i < 40; i++) {
    world.a.send(`${i}`, world.now);
    world.until(world.now + SECOND / 2);
  }
  const times = handshakes(world).map((line) => Number(line.split(" ")[1]));
  const gaps = times.slice(1).map((time, i) => Math.floor((time - (times[i] ?? 0)) / 500) / 2);
  expect(gaps.slice(0, 5)).toEqual([1, 2, 4, 5, 5]);
  world.passes = () => true;
  world.until(world.now + 6 * SECOND);
  world.a.send("now", world.now);
  world.until(world.now + SECOND);
  expect(world.b.got.at(-1)).toBe("now");
});

test.each([1, 2, 3, 4, 5, 6])(
  "one of three is lost (%d): what is sent late still comes",
  (seed) => {
    const world = new TwoEnds({ keepalive: 10 * SECOND });
    world.passes = (i) => Math.imul(i + seed * 7, 0x9e3779b1) >>> 0 > 2 ** 32 / 3;
    let [sent, before] = [0, 0];
    for (; sent < 300; sent++) {
      world.a.send(`${sent}`, world.now);
      world.until(world.now + SECOND);
      if (sent === 200) before = world.b.got.length;
    }
    expect(world.b.got.length - before).toBeGreaterThan(50);
  },
);

test("signs of life go on, and bring keys with them", () => {
  const world = new TwoEnds({ keepalive: 25 * SECOND }, {});
  world.until(400 * SECOND);
  const alive = world.log.filter((line) => line.startsWith("a") && line.endsWith("keepalive"));
  expect(alive.length).toBeGreaterThanOrEqual(14);
  world.b.send("to one behind a NAT", world.now);
  world.until(401 * SECOND);
  expect(world.a.got).toEqual(["to one behind a NAT"]);
});

describe("no handshake with", () => {
  test.each([
    { story: "another secret", a: { psk: [1, 0] }, b: { psk: [0, 2] } },
    { story: "a secret and none", a: { psk: [1, 0] }, b: {} },
    { story: "WireGuard, for one of ours", a: { protocol: TERN }, b: { protocol: WIREGUARD } },
  ] as const)("$story", ({ a, b }) => {
    const world = new TwoEnds(a, b);
    world.a.send("hello", world.now);
    world.b.send("hello", world.now);
    world.until(20 * SECOND);
    expect([world.a.got, world.b.got]).toEqual([[], []]);
    expect(world.a.session.handshakeAt).toBeUndefined();
  });
});

test("with the same secret, and what each says of itself", () => {
  const setting = { protocol: TERN, psk: [9, 9] } as const;
  const world = new TwoEnds(setting);
  world.a.send("hello", world.now);
  world.until(2000);
  expect(world.b.got).toEqual(["hello"]);
  expect([world.a.offers, world.b.offers]).toEqual([["01".repeat(16)], ["00".repeat(16)]]);
});

test("closed: nothing is left, and nothing is wanted", () => {
  const world = new TwoEnds({ keepalive: SECOND });
  world.until(5000);
  world.a.session.close();
  expect([world.a.open, world.a.indices.size, world.a.session.wake]).toEqual([0, 0, Infinity]);
});
