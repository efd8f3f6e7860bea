/** When what is told of questions goes out, by a clock that a test pushes. */
import { expect, test } from "bun:test";

import { Tap, type TapWishes } from "../../../../src/services/dns/tap/tap.ts";
import type { Via } from "../../../../src/services/dns/via.ts";
import { FakeClock } from "../../../fake/clock.ts";

const via: Via = {
  transport: "udp",
  client: Uint8Array.of(192, 0, 2, 1),
  port: 5353,
  room: 1232,
  now: 0,
  wall: 0,
};

/** A tap, and what its sink was sent: frames, and when. */
function tapped(wishes: Partial<TapWishes> = {}) {
  const clock = new FakeClock();
  const sent: string[] = [];
  const tap = new Tap(
    { messages: "both", sample: 1, identity: "ns1", ...wishes },
    { send: (_, frames) => sent.push(`${frames} at ${clock.now()}`) },
    clock,
    () => 0.5,
  );
  /** A question of so many bytes, and its answer of as many. */
  const note = (length = 40): void =>
    tap.note(new Uint8Array(length), 0, length, via, new Uint8Array(length), 0, length);
  return { clock, tap, note, sent };
}

test("a frame waits 200 ms at most, and those behind it less", async () => {
  const { clock, note, sent } = tapped();
  note();
  await clock.advance(150);
  note();
  await clock.advance(49);
  expect(sent).toEqual([]);
  await clock.advance(1000);
  expect(sent).toEqual(["4 at 200"]);
  note();
  await clock.advance(1000);
  expect(sent).toEqual(["4 at 200", "2 at 1399"]);
});

test("32 KiB do not wait, and what comes next waits anew", async () => {
  const { clock, note, sent } = tapped();
  for (let i = 0; i < 20; i++) note(1000);
  expect(sent).toEqual(["32 at 0"]);
  await clock.advance(100);
  expect(sent).toHaveLength(1);
  await clock.advance(100);
  expect(sent).toEqual(["32 at 0", "8 at 200"]);
});

test("told to end, nothing waits, and nothing comes later", async () => {
  const { clock, tap, note, sent } = tapped();
  note();
  tap.flush();
  tap.flush();
  await clock.advance(1000);
  expect(sent).toEqual(["2 at 0"]);
});

test.each<{ story: string; wishes: Partial<TapWishes>; length: number; sent: string[] }>([
  { story: "questions only", wishes: { messages: "queries" }, length: 40, sent: ["1 at 200"] },
  { story: "answers only", wishes: { messages: "responses" }, length: 40, sent: ["1 at 200"] },
  { story: "who is not in the sample", wishes: { sample: 0.5 }, length: 40, sent: [] },
  { story: "what is no DNS", wishes: { messages: "queries" }, length: 11, sent: [] },
])("$story", async ({ wishes, length, sent: expected }) => {
  const { clock, note, sent } = tapped(wishes);
  note(length);
  await clock.advance(1000);
  expect(sent).toEqual(expected);
});
