import { describe, expect, test } from "bun:test";

import fc from "fast-check";

import {
  type Condition,
  emitIf,
  holds,
  type IfHeader,
  parseIf,
  submitted,
} from "../../../src/wire/dav/if-header.ts";

const token = (text: string, not = false): Condition => ({ kind: "token", not, token: text });
const etag = (text: string, not = false): Condition => ({ kind: "etag", not, etag: text });

// Mostly the examples of RFC 4918, 10.4.
const HEADERS: [story: string, text: string, header: IfHeader][] = [
  ["one token", "(<urn:uuid:1>)", [{ resource: undefined, conditions: [token("urn:uuid:1")] }]],
  [
    "10.4.6: two lists, either may hold",
    '(<urn:uuid:1> ["I am an ETag"])\t(["I am another ETag"])',
    [
      { resource: undefined, conditions: [token("urn:uuid:1"), etag('"I am an ETag"')] },
      { resource: undefined, conditions: [etag('"I am another ETag"')] },
    ],
  ],
  [
    "10.4.7: Not",
    "(Not <urn:uuid:1> <urn:uuid:2>)",
    [{ resource: undefined, conditions: [token("urn:uuid:1", true), token("urn:uuid:2")] }],
  ],
  [
    "10.4.8: always true",
    "(<urn:uuid:1>) (Not <DAV:no-lock>)",
    [
      { resource: undefined, conditions: [token("urn:uuid:1")] },
      { resource: undefined, conditions: [token("DAV:no-lock", true)] },
    ],
  ],
  [
    "10.4.9: a resource with two lists",
    '</resource1> (<urn:uuid:1> [W/"A weak ETag"]) (["strong ETag"])',
    [
      { resource: "/resource1", conditions: [token("urn:uuid:1"), etag('W/"A weak ETag"')] },
      { resource: "/resource1", conditions: [etag('"strong ETag"')] },
    ],
  ],
  [
    "two resources, close together",
    "<http://a/x>(<t:1>)<http://a/y>(NOT<t:2>)",
    [
      { resource: "http://a/x", conditions: [token("t:1")] },
      { resource: "http://a/y", conditions: [token("t:2", true)] },
    ],
  ],
  ["brackets within a tag", '(["a]b"])', [{ resource: undefined, conditions: [etag('"a]b"')] }]],
];

describe("If header", () => {
  test.each(HEADERS)("reads %s", (_, text, header) => {
    expect(parseIf(text)).toEqual(header);
  });

  test.each([
    ["nothing", ""],
    ["spaces", "   "],
    ["a bare token", "<urn:uuid:1>"],
    ["an empty list", "()"],
    ["a list that does not end", "(<urn:uuid:1>"],
    ["a token that does not end", "(<urn:uuid:1)"],
    ["a tag without quotes", "([abc])"],
    ["a tag that does not end", '(["abc")'],
    ["a tag whose quotes do not end", '(["abc])'],
    ["Not of nothing", "(Not)"],
    ["Notwithstanding", "(Nota <urn:uuid:1>)"],
    ["two resources in a row", "</a> </b> (<t:1>)"],
    ["a resource without list", "</a> (<t:1>) </b>"],
    ["a list without resource, then one with", "(<t:1>) </a> (<t:2>)"],
    ["a comma, as of two header lines", "(<t:1>), (<t:2>)"],
    ["text behind the list", "(<t:1>) x"],
    ["a space within a token", "(<t: 1>)"],
    ["an empty token", "(<>)"],
    ["a list within a list", "((<t:1>))"],
    ["more conditions than anybody needs", `(${"<t:1>".repeat(1001)})`],
  ])("refuses %s", (_, text) => {
    expect(parseIf(text)).toBeUndefined();
  });

  test.each([
    { story: "its lock", text: "(<t:1>)", is: true },
    { story: "another lock", text: "(<t:2>)", is: false },
    { story: "its tag", text: '(["e"])', is: true },
    { story: "its tag when compressed", text: '(["e-g"])', is: true },
    { story: "lock and tag", text: '(<t:1> ["e"])', is: true },
    { story: "its lock, another tag", text: '(<t:1> ["f"])', is: false },
    { story: "one of two lists", text: '(["f"]) (<t:1>)', is: true },
    { story: "not another lock", text: "(Not <t:2>)", is: true },
    { story: "not its lock", text: "(Not <t:1>)", is: false },
    { story: "the weak form of its tag", text: '([W/"e"])', is: false },
    { story: "a lock elsewhere", text: "</other> (<t:3>)", is: true },
    { story: "its lock, said of elsewhere", text: "</other> (<t:1>)", is: false },
    { story: "a strange server has no locks", text: "<http://strange/> (<t:1>)", is: false },
    {
      story: "a strange server is surely not locked",
      text: "<http://strange/> (Not <t:1>)",
      is: true,
    },
  ])("$story: $text is $is", ({ text, is }) => {
    const header = parseIf(text);
    const state = (uri: string | undefined) =>
      uri === undefined
        ? { etags: ['"e"', '"e-g"'], tokens: ["t:1"] }
        : uri === "/other"
          ? { etags: [], tokens: ["t:3"] }
          : undefined;
    expect(header && holds(header, state)).toBe(is);
  });

  test("a token is submitted wherever it stands", () => {
    const header = parseIf('</a> (<t:1> ["e"]) </b> (Not <t:2>)');
    expect(header && [...submitted(header)]).toEqual(["t:1", "t:2"]);
  });

  const uri = fc.stringMatching(/^[a-z]{1,5}:[!-;=?-~]{1,20}$/);
  const tag = fc.stringMatching(/^(W\/)?"[!#-~]{0,12}"$/);
  const condition = fc.oneof(
    fc.record({ kind: fc.constant("token" as const), not: fc.boolean(), token: uri }),
    fc.record({ kind: fc.constant("etag" as const), not: fc.boolean(), etag: tag }),
  );
  const conditions = fc.array(condition, { minLength: 1, maxLength: 4 });
  const untagged = fc.record({ resource: fc.constant(undefined), conditions });
  const tagged = fc.record({ resource: uri, conditions });
  const header = fc.oneof(
    fc.array(untagged, { minLength: 1, maxLength: 4 }),
    fc.array(tagged, { minLength: 1, maxLength: 4 }),
  );

  test("what it writes, it reads back", () => {
    fc.assert(fc.property(header, (h) => expect(parseIf(emitIf(h))).toEqual(h)));
  });

  test("no text upsets it, and what it reads it writes back", () => {
    const noise = fc.string({ unit: fc.constantFrom(...'()<>[]"W/ Notx:\t,é'), maxLength: 40 });
    fc.assert(
      fc.property(noise, (text) => {
        const read = parseIf(text);
        if (read) expect(parseIf(emitIf(read))).toEqual(read);
      }),
    );
  });
});
