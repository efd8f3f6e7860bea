import { expect, test } from "bun:test";

import fc from "fast-check";

import { emitStuck, MAX_STUCK, parseStuck } from "../../../src/wire/cluster/sticky-news.ts";

test.each([
  { story: "nothing", text: "" },
  { story: "no list", text: "{}" },
  { story: "a list of texts", text: '["a"]' },
  { story: "too few fields", text: '[["app","192.0.2.1","10.0.0.1:80"]]' },
  { story: "an empty client", text: '[["app","","10.0.0.1:80",1000]]' },
  { story: "a client that is a number", text: '[["app",7,"10.0.0.1:80",1000]]' },
  { story: "a client too long", text: `[["app","${"1".repeat(65)}","10.0.0.1:80",1000]]` },
  { story: "no time at all", text: '[["app","192.0.2.1","10.0.0.1:80",0]]' },
  { story: "for ever", text: '[["app","192.0.2.1","10.0.0.1:80",1e99]]' },
  { story: "one good, one bad", text: '[["app","192.0.2.1","10.0.0.1:80",1000],null]' },
  { story: "too many", text: JSON.stringify(Array(MAX_STUCK + 1).fill(["a", "b", "c", 1])) },
  { story: "too long", text: `[["a","b","c",1]]${" ".repeat(600_000)}` },
])("no news: $story", ({ text }) => {
  expect(parseStuck(text)).toBeUndefined();
});

const word = fc.string({ minLength: 1, maxLength: 64 });
const stuck = fc.record({
  pool: word,
  client: word,
  server: word,
  expire: fc.integer({ min: 1, max: 2_000_000_000 }),
});

test("what it reads, it writes back", () => {
  fc.assert(
    fc.property(fc.array(stuck), (all) => {
      expect(parseStuck(emitStuck(all))).toEqual(all);
    }),
  );
});

test("whatever JSON it is, it is read or it is none", () => {
  fc.assert(fc.property(fc.json(), (text) => void parseStuck(text)));
});
