import { expect, test } from "bun:test";

import { FixedRate } from "../../../src/wire/udt/congestion/fixed.ts";
import type { UdtConnection } from "../../../src/wire/udt/connection.ts";
import {
  Control,
  emit,
  HEADER,
  parse,
  Part,
  putControl,
  putWord,
} from "../../../src/wire/udt/packet.ts";
import type { WanOptions } from "../../fake/wan.ts";
import { type Program, World } from "./two-ends.ts";

const SECOND = 1_000_000;
const SETTINGS = { kind: "message" } as const;

/** Each message is its number, again and again. */
function message(number: number, words: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new Uint32Array(words).fill(number).buffer);
}

/** Sends `count` messages as fast as there is room. */
function saying(
  count: number,
  words: number,
  options: { ttlMs?: number; inOrder?: boolean },
): Program & { said: number } {
  const program = Object.assign(
    (end: UdtConnection, now: number): void => {
      if (end.state !== "open") return;
      while (program.said < count && end.sendMessage(message(program.said, words), options, now)) {
        program.said += 1;
      }
    },
    { said: 0 },
  );
  return program;
}

/** Remembers which numbers came, and that each message was whole. */
function hearing(words: number): Program & { heard: number[] } {
  const buffer = new ArrayBuffer(words * 4 + 8);
  const into = new Uint8Array(buffer);
  const program = Object.assign(
    (end: UdtConnection): void => {
      while (end.readable >= 0) {
        expect(end.readable).toBe(words * 4);
        expect(end.readMessage(into, 0, into.length)).toBe(words * 4);
        const [number] = new Uint32Array(buffer, 0, 1);
        expect(into.subarray(0, words * 4)).toEqual(message(number ?? -1, words));
        program.heard.push(number ?? -1);
      }
    },
    { heard: [] as number[] },
  );
  return program;
}

function talk(
  link: WanOptions,
  count: number,
  words: number,
  options: { ttlMs?: number; inOrder?: boolean },
  rate = 20e6,
): { heard: number[]; client: UdtConnection; server: UdtConnection | undefined } {
  const world = new World(link);
  const say = saying(count, words, options);
  const hear = hearing(words);
  const { client, server } = world.pair({
    client: SETTINGS,
    server: SETTINGS,
    congestion: () => new FixedRate(rate, 1_500),
    clientProgram: say,
    serverProgram: hear,
  });
  const done = (): boolean => say.said === count && client.unacknowledged === 0;
  world.run(120 * SECOND, done);
  world.run(SECOND);
  expect(client.unacknowledged).toBe(0);
  return { heard: hear.heard, client, server: server() };
}

const inTurn = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
const sorted = (numbers: readonly number[]): number[] => [...numbers].sort((a, b) => a - b);
const link = { delay: 20_000, rate: 50e6 };

test.each([
  { story: "one packet each", words: 10, count: 500 },
  { story: "ten packets each", words: 3_600, count: 100 },
  { story: "fifty packets each", words: (50 * 1_456) / 4, count: 10 },
])("messages in order over 10 % loss, $story", ({ words, count }) => {
  const { heard } = talk({ ...link, loss: 0.1 }, count, words, { inOrder: true });
  expect(heard).toEqual(inTurn(count));
});

test("messages that need not be in order pass those with gaps, and all come", () => {
  const { heard } = talk({ ...link, loss: 0.1 }, 400, 1_000, {});
  expect(heard).not.toEqual(inTurn(400));
  expect(sorted(heard)).toEqual(inTurn(400));
});

test("without loss they come in order all the same", () => {
  expect(talk(link, 400, 1_000, {}).heard).toEqual(inTurn(400));
});

test("messages too old to be repeated are dropped, and hold up nobody", () => {
  const world = new World({ ...link, loss: 0.1 });
  const hear = hearing(1_000);
  const { client } = world.pair({ client: SETTINGS, server: SETTINGS, serverProgram: hear });
  world.run(SECOND);
  for (let i = 0; i < 400; i++) {
    client.sendMessage(message(i, 1_000), { ttlMs: 30, inOrder: true }, world.now);
    world.run(2_000);
  }
  world.run(5 * SECOND);
  const { heard } = hear;
  expect(client.unacknowledged).toBe(0);
  expect(heard).toEqual(sorted(heard));
  expect(client.stats.messagesDropped).toBeGreaterThan(20);
  expect(heard.length).toBeGreaterThan(200);
  expect(heard.length).toBeLessThan(400);
});

test("messages that wait too long to be sent at all are dropped too", () => {
  const { heard, client } = talk(link, 400, 300, { ttlMs: 100 }, 1e6);
  expect(heard.length).toBeLessThan(100);
  expect(heard.length).toBeGreaterThan(5);
  expect(client.stats.messagesDropped).toBe(400 - heard.length);
});

test("a message longer than the room for it is cut, as libudt does", () => {
  const world = new World(link);
  const { client, server } = world.pair({ client: SETTINGS, server: SETTINGS });
  world.run(SECOND);
  client.sendMessage(message(7, 1_000), {}, world.now);
  world.run(SECOND);
  expect(server()?.readMessage(new Uint8Array(10), 0, 10)).toBe(10);
  expect(server()?.readMessage(new Uint8Array(10), 0, 10)).toBe(-1);
});

test.each([
  { story: "nothing", length: 0 },
  { story: "more than the buffer ever holds", length: 64 * 1_456 + 1 },
])("a message of $story is a mistake", ({ length }) => {
  const world = new World(link);
  const { client } = world.pair({ client: { ...SETTINGS, sendPackets: 64 }, server: SETTINGS });
  world.run(SECOND);
  expect(() => client.sendMessage(new Uint8Array(length), {}, world.now)).toThrow(RangeError);
});

test("pieces that are no message are skipped", () => {
  const world = new World(link);
  const { server } = world.pair({ client: SETTINGS, server: SETTINGS });
  world.run(SECOND);
  const out = new Uint8Array(100);
  const say = (n: number, part: Part, number: number): void => {
    const body = Uint8Array.of(n);
    const seq = 12_345 + n;
    const packet = { kind: "data", seq, part, ordered: false, message: number } as const;
    const length = emit({ ...packet, time: 0, to: server()?.id ?? 0, body }, out);
    expect(parse(out.subarray(0, length))?.kind).toBe("data");
    server()?.receive(out, 0, length, world.now);
  };
  say(0, Part.middle, 1);
  say(1, Part.last, 1); // its beginning was never sent
  say(2, Part.first, 2);
  say(3, Part.first, 3); // the one before has no end
  say(4, Part.last, 3);
  say(5, Part.solo, 4);
  const into = new Uint8Array(10);
  expect(server()?.readMessage(into, 0, 10)).toBe(2);
  expect([...into.subarray(0, 2)]).toEqual([3, 4]);
  expect(server()?.readMessage(into, 0, 10)).toBe(1);
  expect(server()?.readable).toBe(-1);
});

test("what is not here before a dropped message is asked for at once: its drop may be lost as well", () => {
  const world = new World(link);
  const { server } = world.pair({ client: SETTINGS, server: SETTINGS });
  world.run(SECOND);
  const out = new Uint8Array(100);
  const to = server()?.id ?? 0;
  const drop = (first: number, last: number): void => {
    putControl(out, 0, Control.drop, 1, 0, to);
    putWord(out, HEADER, 12_345 + first);
    putWord(out, HEADER + 4, 12_345 + last);
    server()?.receive(out, 0, HEADER + 8, world.now);
  };
  drop(3, 4);
  const length = server()?.poll(world.now, out, 0) ?? 0;
  expect(parse(out.subarray(0, length))).toMatchObject({
    control: Control.nak,
    body: Uint8Array.of(0x80, 0, 48, 57, 0, 0, 48, 59), // 12 345 to 12 347
  });
  drop(0, 2);
  const body = Uint8Array.of(9);
  const packet = { kind: "data", seq: 12_350, part: Part.solo, ordered: true, message: 2 } as const;
  server()?.receive(out, 0, emit({ ...packet, time: 0, to, body }, out), world.now);
  expect(server()?.readMessage(out, 0, 10)).toBe(1);
  expect(out[0]).toBe(9);
});
