import { describe, expect, test } from "bun:test";

import fc from "fast-check";

import { EsiFault, parse, type Part } from "../../../src/wire/esi/parse.ts";

const hole = (src: string, more: object = {}): Part => ({
  src,
  alt: undefined,
  optional: false,
  ...more,
});

describe("parts of a page", () => {
  test.each([
    { story: "nothing", page: "", parts: [] },
    { story: "no ESI", page: "<p>a <!-- b --> c</p>", parts: ["<p>a <!-- b --> c</p>"] },
    { story: "an include", page: 'a<esi:include src="/b"/>c', parts: ["a", hole("/b"), "c"] },
    { story: "in two tags", page: "<esi:include src='/b'></esi:include>", parts: [hole("/b")] },
    {
      story: "all of its attributes, over several lines",
      page: '<esi:include\n  src="/b?c=1&amp;d=2"\n alt = "/e" onerror="continue" />',
      parts: [hole("/b?c=1&d=2", { alt: "/e", optional: true })],
    },
    {
      story: "onerror of another kind",
      page: '<esi:include src="/b" onerror="stop"/>',
      parts: [hole("/b")],
    },
    { story: 'a ">" in a value', page: '<esi:include src="/b?>"/>', parts: [hole("/b?>")] },
    {
      story: "an entity twice",
      page: '<esi:include src="/&amp;lt;&x;"/>',
      parts: [hole("/&lt;&x;")],
    },
    { story: "a comment", page: 'a<esi:comment text="x"/>b', parts: ["a", "b"] },
    {
      story: "what is removed, with what is in it",
      page: 'a<esi:remove><esi:include src="/x"/> <!--esi --></esi:remove>b',
      parts: ["a", "b"],
    },
    { story: "nothing removed", page: "a<esi:remove/>b", parts: ["a", "b"] },
    {
      story: "shown to ESI alone",
      page: 'a<!--esi <p><esi:include src="/b"/></p>-->c-->',
      parts: ["a", " <p>", hole("/b"), "</p>", "c-->"],
    },
    { story: "a comment of another kind", page: "<!--esipm-->", parts: ["<!--esipm-->"] },
    {
      story: "inside of a comment",
      page: '<!-- <esi:include src="/b"/> -->',
      parts: ["<!-- ", hole("/b"), " -->"],
    },
  ])("$story", ({ page, parts }) => {
    expect(parse(page)).toEqual([...parts]);
  });

  test.each([
    { story: "no src", page: '<esi:include alt="/b"/>' },
    { story: "broken off in a tag", page: 'a<esi:include src="/b"' },
    { story: "broken off in a value", page: 'a<esi:include src="/b' },
    { story: "a value without quotes", page: "<esi:include src=/b />" },
    { story: "not empty", page: '<esi:include src="/b">c</esi:include>' },
    { story: "remove without end", page: "<esi:remove>a" },
    { story: "an end alone", page: "a</esi:remove>" },
    { story: "<!--esi without end", page: "<!--esi a" },
    { story: "<!--esi in another", page: "<!--esi <!--esi --> -->" },
    { story: "what is not understood", page: "<esi:vars>$(HTTP_HOST)</esi:vars>" },
    { story: "no name", page: "<esi:/>" },
  ])("refused: $story", ({ page }) => {
    expect(() => parse(page)).toThrow(EsiFault);
  });

  test("text without marks is given back as it is", () => {
    const text = fc.string({ unit: "binary" }).filter((one) => !/<\/?esi:|<!--esi/.test(one));
    fc.assert(fc.property(text, (one) => expect(parse(one)).toEqual(one === "" ? [] : [one])));
  });

  test("what is written of parts is read as these parts", () => {
    const plain = fc.stringMatching(/^[a-z <>/!&-]{1,20}$/).filter((one) => !/-->|esi/.test(one));
    const include = fc.stringMatching(/^\/[a-z0-9?=&;%]{0,20}$/).map((src) => hole(src));
    const escaped = (src: string): string => src.replaceAll("&", "&amp;");
    const show = (part: Part): string =>
      typeof part === "string" ? part : `<esi:include src="${escaped(part.src)}"/>`;
    const parts = fc.array(fc.tuple(plain, include)).map((pairs) => pairs.flat());
    fc.assert(fc.property(parts, (all) => expect(parse(all.map(show).join(""))).toEqual(all)));
  });

  test("anything at all is read or refused", () => {
    const bit = fc.constantFrom(
      "<esi:",
      "</esi:",
      "include",
      "remove",
      ' src="/"',
      "/>",
      ">",
      "<!--esi ",
      "-->",
      "x",
    );
    fc.assert(
      fc.property(fc.array(bit), (bits) => {
        try {
          parse(bits.join(""));
        } catch (error) {
          expect(error).toBeInstanceOf(EsiFault);
        }
      }),
    );
  });
});
