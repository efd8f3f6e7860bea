import { describe, expect, test } from "bun:test";

import * as v from "valibot";

import { form } from "../../src/admin/form.ts";
import { fieldsOf, inputOf } from "../../src/cli/words.ts";
import { addressList, duration } from "../../src/config/scalars.ts";

const state = form(
  v.strictObject({
    pool: v.pipe(v.string(), v.description("The pool's name.")),
    to: v.picklist(["ready", "drain"]),
    weight: v.optional(v.pipe(v.number(), v.integer())),
    backup: v.optional(v.boolean(), false),
    names: v.optional(v.array(v.string())),
    ports: v.optional(v.array(v.number())),
    check: v.optional(v.strictObject({ kind: v.string() })),
    time: v.optional(duration, "5s"),
    listen: v.optional(addressList),
  }),
);

describe("key=value", () => {
  test.each([
    { story: "nothing", words: [], is: {} },
    { story: "a text that looks like a number", words: ["pool=12"], is: { pool: "12" } },
    { story: "a text with =", words: ["pool=a=b"], is: { pool: "a=b" } },
    { story: "an empty text", words: ["pool="], is: { pool: "" } },
    { story: "one of several words", words: ["to=drain"], is: { to: "drain" } },
    { story: "a number", words: ["weight=3"], is: { weight: 3 } },
    { story: "what is none stays as it is", words: ["weight=many"], is: { weight: "many" } },
    { story: "true and false", words: ["backup=true"], is: { backup: true } },
    { story: "a list", words: ["names=a,b"], is: { names: ["a", "b"] } },
    { story: "a list of numbers", words: ["ports=1,2"], is: { ports: [1, 2] } },
    { story: "a list as JSON", words: ['names=["a,b"]'], is: { names: ["a,b"] } },
    { story: "a map as JSON", words: ['check={"kind":"tcp"}'], is: { check: { kind: "tcp" } } },
    { story: "a duration", words: ["time=250ms"], is: { time: "250ms" } },
    { story: "one or many: one", words: ["listen=:80"], is: { listen: ":80" } },
  ])("$story", ({ words, is }) => {
    expect(inputOf(words, state)).toEqual(is);
  });

  test.each([
    { words: ["drain"], says: 'expected key=value, got "drain"' },
    { words: ["=x"], says: "expected key=value" },
    { words: ["wieght=1"], says: "no such key: wieght; did you mean weight?" },
    { words: ["zzz=1"], says: "it is pool, to, weight" },
  ])("$words", ({ words, says }) => {
    expect(() => inputOf(words, state)).toThrow(says);
  });

  test("a form that says nothing takes anything", () => {
    expect(inputOf(["a=1"], {})).toEqual({ a: "1" });
  });
});

test("what a form takes, for people", () => {
  const fields = fieldsOf(state);
  expect(fields.slice(0, 4)).toEqual([
    { key: "pool", required: true, kind: "text", about: "The pool's name." },
    { key: "to", required: true, kind: "ready | drain", about: "" },
    { key: "weight", required: false, kind: "number", about: "" },
    { key: "backup", required: false, kind: "true | false", about: "" },
  ]);
});
