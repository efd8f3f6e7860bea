/** What bans forbid, and that they stay few. */
import { expect, test } from "bun:test";

import fc from "fast-check";

import {
  type Ban,
  BAN_KINDS,
  Bans,
  emitBan,
  parseBan,
} from "../../../../src/services/proxy/cache/bans.ts";

const KEY = "example.net/news/1?p=2\nscheme=https";

test.each<{ story: string; ban: Omit<Ban, "time">; dead: boolean }>([
  { story: "its URL", ban: { kind: "url", value: "example.net/news/1?p=2" }, dead: true },
  {
    story: "the URL without its query",
    ban: { kind: "url", value: "example.net/news/1" },
    dead: false,
  },
  { story: "the beginning of it", ban: { kind: "prefix", value: "example.net/news/" }, dead: true },
  { story: "another beginning", ban: { kind: "prefix", value: "example.net/old/" }, dead: false },
  { story: "a tag", ban: { kind: "tag", value: "b" }, dead: true },
  { story: "another tag", ban: { kind: "tag", value: "c" }, dead: false },
  { story: "all", ban: { kind: "all", value: "" }, dead: true },
])("$story: dead is $dead; what is asked for later lives", ({ ban, dead }) => {
  const bans = new Bans();
  expect(bans.add({ ...ban, time: 100 })).toBe(true);
  expect(bans.add({ ...ban, time: 100 })).toBe(false);
  const one = { key: KEY, tags: ["a", "b"] };
  expect([100, 101].map((asked) => bans.isDead({ ...one, asked }))).toEqual([dead, false]);
  bans.clear();
  for (const again of [{ ...ban, time: 100 }]) bans.add(again);
  expect(bans.list()).toEqual([{ ...ban, time: 100 }]);
});

test("URLs that strangers change do not fill the memory: the latest count", () => {
  const bans = new Bans();
  bans.add({ kind: "tag", value: "a", time: 1 });
  for (let i = 1; i <= 150_000; i++) bans.add({ kind: "url", value: `a/${i}`, time: i });
  bans.add({ kind: "url", value: "a/60000", time: 200_000 }); // again
  for (let i = 0; i < 20_000; i++) bans.add({ kind: "url", value: `b/${i}`, time: 200_001 });
  expect(bans.size).toBeLessThanOrEqual(100_001);
  expect(bans.size).toBeGreaterThan(90_000);
  const dead = (key: string, tags: string[] = []): boolean => bans.isDead({ key, tags, asked: 1 });
  expect([dead("a/150000"), dead("a/60000"), dead("a/50001"), dead("c", ["a"])]).toEqual([
    true,
    true,
    false,
    true,
  ]);
});

test("what other nodes are told is read back; anything else is none", () => {
  const said = fc.record({
    time: fc.nat(),
    kind: fc.constantFrom(...BAN_KINDS),
    value: fc.string(),
  });
  fc.assert(fc.property(said, (ban) => expect(parseBan(emitBan(ban), ban.time)).toEqual(ban)));
  fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => void parseBan(text, 0)));
  for (const text of ["", "[]", '["url"]', '["path", "x"]', '["url", 1]', '["url", "x", 1]', "{}"])
    expect(parseBan(text, 0)).toBeUndefined();
});
