import { expect, test } from "bun:test";

import fc from "fast-check";

import {
  byName,
  type Field,
  packFields,
  unpackFields,
} from "../../../../src/wire/http/caching/field-list.ts";

test("what is packed is unpacked as it was", () => {
  const name = fc.stringMatching(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/);
  const value = fc.stringMatching(/^[\t\x20-\x7e\x80-\xff]*$/);
  fc.assert(
    fc.property(fc.array(fc.tuple(name, value)), (fields) => {
      expect(unpackFields(packFields(fields))).toEqual(fields);
    }),
  );
});

test("any text unpacks to fields, or to the first of them", () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      expect(Array.isArray(unpackFields(text))).toBe(true);
    }),
  );
});

test("by name: any case, repeated ones joined, the last cookie", () => {
  const fields: Field[] = [
    ["Vary", "a"],
    ["VARY", "b"],
    ["Set-Cookie", "x=1, 2"],
    ["set-cookie", "y=2"],
  ];
  expect([...byName(fields)]).toEqual([
    ["vary", "a, b"],
    ["set-cookie", "y=2"],
  ]);
});
