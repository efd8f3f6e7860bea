import { expect, test } from "bun:test";

import { SharedCount } from "../../../src/net/cluster/shared-count.ts";
import { FakeClock } from "../../fake/clock.ts";
import { Room } from "../../fake/room.ts";

const WINDOW_MS = 200;

function counts() {
  const room = new Room();
  const clock = new FakeClock();
  const one = (who: string) => new SharedCount({ clock, nodes: room, topic: "t", who });
  return { room, clock, a: one("a"), b: one("b"), one };
}

test("what is counted here is known elsewhere a window later, and not counted twice here", async () => {
  const { clock, a, b, one } = counts();
  a.set("kim", 3);
  expect(b.elsewhere("kim")).toBe(0);
  await clock.advance(WINDOW_MS);
  expect([a.elsewhere("kim"), b.elsewhere("kim"), b.elsewhere("ann")]).toEqual([0, 3, 0]);
  b.set("kim", 4);
  const c = one("c");
  await clock.advance(WINDOW_MS);
  expect([a.elsewhere("kim"), b.elsewhere("kim"), c.elsewhere("kim")]).toEqual([4, 3, 4]);
  a.set("kim", 0);
  await clock.advance(WINDOW_MS);
  expect([a.elsewhere("kim"), b.elsewhere("kim")]).toEqual([4, 0]);
});

test("who comes late hears all of it, and what was lost is made good", async () => {
  const { room, clock, a, b, one } = counts();
  a.set("kim", 1);
  a.set("ann", 2);
  await clock.advance(WINDOW_MS);
  const late = one("late");
  room.tell('["a","all",[["ann",9]]]');
  expect([late.elsewhere("kim"), b.elsewhere("kim")]).toEqual([0, 0]);
  await clock.advance(5200);
  for (const each of [b, late])
    expect([each.elsewhere("kim"), each.elsewhere("ann")]).toEqual([1, 2]);
});

test("who closes takes its counts along, and so does who dies, a while later", async () => {
  const { room, clock, a, b } = counts();
  a.set("kim", 3);
  room.tell('["dead","some",[["kim",5]]]');
  await clock.advance(WINDOW_MS);
  expect(b.elsewhere("kim")).toBe(8);
  a.close();
  expect(b.elsewhere("kim")).toBe(5);
  await clock.advance(14_000);
  expect(b.elsewhere("kim")).toBe(5);
  await clock.advance(1500);
  expect(b.elsewhere("kim")).toBe(0);
});

test("nothing is told when nothing is counted", async () => {
  const { room, clock, a } = counts();
  a.set("kim", 0);
  await clock.advance(60_000);
  expect(room.said).toEqual([]);
  a.set("kim", 1);
  await clock.advance(WINDOW_MS);
  a.set("kim", 0);
  await clock.advance(60_000);
  expect(room.said).toEqual(['["a","some",[["kim",1]]]', '["a","some",[["kim",0]]]']);
});

test.each([
  "",
  "{",
  "[]",
  "[1,2,3]",
  '["b"]',
  '["x y","all",[["kim",1]]]',
  '["x","all",[["kim",-1],["kim",0.5],["kim","1"],[7,1],7]]',
])("%s means nothing", (text) => {
  const { room, b } = counts();
  room.tell(text);
  expect(b.elsewhere("kim")).toBe(0);
});
