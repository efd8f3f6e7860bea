import { describe, expect, test } from "bun:test";

import fc from "fast-check";

import { evaluate } from "../../../src/wire/http/conditional.ts";

const T = Date.UTC(2024, 0, 1, 12); // the file changed then, and 789 ms
const file = { etag: '"a"', lastModified: T + 789 };
const at = (ms: number) => new Date(ms).toUTCString();
const IM = "If-Match";
const INM = "If-None-Match";
const IMS = "If-Modified-Since";
const IUS = "If-Unmodified-Since";

/** RFC 9110, 13.2.2, step by step. */
describe("of a file tagged a, changed at T", () => {
  test.each([
    { story: "no condition", method: "GET", headers: {}, is: "go" },
    // step 1
    { story: "its tag", method: "GET", headers: { [IM]: '"a"' }, is: "go" },
    { story: "another tag", method: "GET", headers: { [IM]: '"b"' }, is: 412 },
    { story: "its tag made weak", method: "GET", headers: { [IM]: 'W/"a"' }, is: 412 },
    { story: "anything at all", method: "PUT", headers: { [IM]: "*" }, is: "go" },
    { story: "a broken tag", method: "PUT", headers: { [IM]: "a" }, is: 412 },
    { story: "an empty If-Match", method: "PUT", headers: { [IM]: "" }, is: 412 },
    { story: "another tag on DELETE", method: "DELETE", headers: { [IM]: '"b"' }, is: 412 },
    // step 2
    { story: "unmodified since T", method: "GET", headers: { [IUS]: at(T) }, is: "go" },
    { story: "unmodified since before", method: "GET", headers: { [IUS]: at(T - 1000) }, is: 412 },
    { story: "unmodified since later", method: "PUT", headers: { [IUS]: at(T + 1000) }, is: "go" },
    { story: "a date that is none", method: "PUT", headers: { [IUS]: "yesterday" }, is: "go" },
    { story: "If-Match outranks", method: "PUT", headers: { [IM]: '"a"', [IUS]: at(0) }, is: "go" },
    // step 3
    { story: "has it", method: "GET", headers: { [INM]: '"a"' }, is: 304 },
    { story: "has it, weakly", method: "HEAD", headers: { [INM]: 'W/"a"' }, is: 304 },
    { story: "has others", method: "GET", headers: { [INM]: '"b", "c"' }, is: "go" },
    { story: "has any", method: "GET", headers: { [INM]: "*" }, is: 304 },
    { story: "only if new", method: "PUT", headers: { [INM]: "*" }, is: 412 },
    { story: "only if not this", method: "PUT", headers: { [INM]: '"a"' }, is: 412 },
    { story: "a broken tag", method: "GET", headers: { [INM]: "a" }, is: "go" },
    { story: "an unknown method", method: "PATCH", headers: { [INM]: '"a"' }, is: 412 },
    // step 4
    { story: "modified since T", method: "GET", headers: { [IMS]: at(T) }, is: 304 },
    { story: "since later", method: "HEAD", headers: { [IMS]: at(T + 5000) }, is: 304 },
    { story: "since before", method: "GET", headers: { [IMS]: at(T - 1000) }, is: "go" },
    { story: "since a date that is none", method: "GET", headers: { [IMS]: "0" }, is: "go" },
    { story: "only GET and HEAD", method: "PUT", headers: { [IMS]: at(T) }, is: "go" },
    {
      story: "tag outranks date",
      method: "GET",
      headers: { [INM]: '"b"', [IMS]: at(T) },
      is: "go",
    },
    {
      story: "old date, but has it",
      method: "GET",
      headers: { [INM]: '"a"', [IMS]: at(0) },
      is: 304,
    },
    // together
    { story: "both hold", method: "GET", headers: { [IM]: '"a"', [INM]: '"b"' }, is: "go" },
    { story: "412 comes first", method: "GET", headers: { [IM]: '"b"', [INM]: '"a"' }, is: 412 },
    { story: "then 304", method: "GET", headers: { [IM]: '"a"', [INM]: '"a"' }, is: 304 },
    { story: "412 by date first", method: "GET", headers: { [IUS]: at(0), [IMS]: at(T) }, is: 412 },
    // 13.2.1
    { story: "OPTIONS does not listen", method: "OPTIONS", headers: { [IM]: '"b"' }, is: "go" },
  ])("$method, $story: $is", ({ method, headers, is }) => {
    expect<unknown>(evaluate({ method, headers: new Headers(headers), ...file })).toBe(is);
  });
});

describe("of nothing, and of a folder without tag or date", () => {
  test.each([
    { story: "nothing: *", exists: false, headers: { [IM]: "*" }, is: 412 },
    { story: "nothing: only if new", exists: false, headers: { [INM]: "*" }, is: "go" },
    { story: "nothing: a tag", exists: false, headers: { [IM]: '"a"' }, is: 412 },
    { story: "nothing: no such tag", exists: false, headers: { [INM]: '"a"' }, is: "go" },
    { story: "nothing: a date", exists: false, headers: { [IUS]: at(0) }, is: "go" },
    { story: "folder: *", exists: true, headers: { [IM]: "*" }, is: "go" },
    { story: "folder: only if new", exists: true, headers: { [INM]: "*" }, is: 412 },
    { story: "folder: a tag", exists: true, headers: { [IM]: '"a"' }, is: 412 },
    { story: "folder: a date", exists: true, headers: { [IUS]: at(0) }, is: "go" },
  ])("$story: $is", ({ exists, headers, is }) => {
    expect<unknown>(evaluate({ method: "PUT", headers: new Headers(headers), exists })).toBe(is);
    if (!exists)
      expect<unknown>(evaluate({ method: "PUT", headers: new Headers(headers) })).toBe(is);
  });
});

test("any fields give one of three answers, and only a reader hears 304", () => {
  const text = fc.oneof(
    fc.constantFrom('"a"', 'W/"a"', '"b"', "*", at(T), at(T - 1000), at(T + 1000)),
    fc.string({ unit: fc.constantFrom(...'aW/", *0:') }),
  );
  const names = fc.constantFrom(IM, INM, IMS, IUS, "Range");
  fc.assert(
    fc.property(
      fc.dictionary(names, text),
      fc.constantFrom("GET", "HEAD", "PUT"),
      (set, method) => {
        const answer = evaluate({ method, headers: new Headers(set), ...file });
        expect(["go", 304, 412]).toContain(answer);
        if (answer === 304) expect(method).not.toBe("PUT");
        if (!(IM in set) && !(IUS in set) && method !== "PUT") expect(answer).not.toBe(412);
      },
    ),
  );
});
