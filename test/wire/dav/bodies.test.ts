import { describe, expect, test } from "bun:test";

import fc from "fast-check";

import { href } from "../../../src/wire/dav/href.ts";
import { parseLockInfo } from "../../../src/wire/dav/lock-info.ts";
import {
  activeLock,
  emptyProp,
  errorBody,
  MULTISTATUS_CLOSE,
  MULTISTATUS_OPEN,
  propResponse,
  statusResponse,
} from "../../../src/wire/dav/multistatus.ts";
import { parsePropertyUpdate } from "../../../src/wire/dav/property-update.ts";
import { parsePropfind } from "../../../src/wire/dav/propfind.ts";
import { parseXml } from "../../../src/wire/dav/xml.ts";
import { decodeTarget } from "../../../src/wire/http/path.ts";

const read = (text: string) => {
  const root = parseXml(new TextEncoder().encode(text));
  if (!root) throw new Error(`no XML: ${text}`);
  return root;
};

describe("propfind", () => {
  const of = (inside: string) => parsePropfind(read(`<propfind xmlns="DAV:">${inside}</propfind>`));
  test.each([
    ["<allprop/>", { kind: "allprop", include: [] }],
    [
      '<allprop/><include><a/><b xmlns="u"/></include>',
      {
        kind: "allprop",
        include: [
          { ns: "DAV:", name: "a" },
          { ns: "u", name: "b" },
        ],
      },
    ],
    ["<propname/>", { kind: "propname" }],
    ['<prop><a/></prop><x xmlns="u"/>', { kind: "prop", names: [{ ns: "DAV:", name: "a" }] }],
    ["<prop/>", { kind: "prop", names: [] }],
    ["<unknown/><propname/>", { kind: "propname" }],
    ["", undefined],
    ["<allprop/><propname/>", undefined],
    ["<prop/><prop/>", undefined],
    ["<propname/><include/>", undefined],
    ['<allprop xmlns="u"/>', undefined],
    [`<prop>${"<a/>".repeat(1001)}</prop>`, undefined],
  ])("%s", (inside, asked) => {
    expect(of(inside) as unknown).toEqual(asked);
  });

  test("another root is none", () => {
    expect(parsePropfind(read("<propfind/>"))).toBeUndefined();
  });
});

describe("propertyupdate", () => {
  const of = (inside: string) =>
    parsePropertyUpdate(
      read(`<D:propertyupdate xmlns:D="DAV:" xmlns:u="u">${inside}</D:propertyupdate>`),
    );

  test("changes keep their order", () => {
    const changes = of(
      "<D:set><D:prop><u:a>1</u:a></D:prop></D:set><D:remove><D:prop><u:b/><u:c/></D:prop></D:remove><x/>",
    );
    expect(changes?.map(({ name, value }) => [name, value !== undefined])).toEqual([
      ["a", true],
      ["b", false],
      ["c", false],
    ]);
    expect(changes?.[0]?.value).toContain(">1</u:a>");
  });

  test.each([
    ["nothing to do", ""],
    ["no prop", "<D:set/>"],
    ["two props", "<D:set><D:prop><u:a/></D:prop><D:prop><u:b/></D:prop></D:set>"],
  ])("refuses %s", (_, inside) => {
    expect(of(inside)).toBeUndefined();
  });
});

describe("lockinfo", () => {
  const of = (inside: string) => parseLockInfo(read(`<lockinfo xmlns="DAV:">${inside}</lockinfo>`));
  const write = "<locktype><write/></locktype>";
  test.each([
    [`<lockscope><exclusive/></lockscope>${write}`, { scope: "exclusive", owner: "" }],
    [
      `<lockscope><shared/></lockscope>${write}<owner>me</owner>`,
      { scope: "shared", owner: '<owner xmlns="DAV:">me</owner>' },
    ],
    [`<lockscope><exclusive/><shared/></lockscope>${write}`, undefined],
    [`<lockscope/>${write}`, undefined],
    ["<lockscope><exclusive/></lockscope>", undefined],
    ["<lockscope><exclusive/></lockscope><locktype><read/></locktype>", undefined],
  ])("%s", (inside, info) => {
    expect(of(inside) as unknown).toEqual(info);
  });
});

describe("multistatus", () => {
  test("whatever is in it, it is XML", () => {
    const name = fc.stringMatching(/^[a-z]{1,8}$/);
    fc.assert(
      fc.property(
        fc.string({ unit: "binary" }),
        fc.string({ unit: "binary" }),
        name,
        (path, ns, n) => {
          const lock = activeLock({
            token: path,
            scope: "shared",
            depth: 0,
            owner: "",
            seconds: 1.5,
            rootHref: href(path, true),
          });
          const text =
            MULTISTATUS_OPEN +
            propResponse(href(path, false), [
              { status: 200, props: [emptyProp({ ns, name: n }), lock] },
              { status: 404, props: [] },
            ]) +
            statusResponse(path, 423) +
            MULTISTATUS_CLOSE;
          expect(parseXml(new TextEncoder().encode(text))).toBeDefined();
          expect(parseXml(new TextEncoder().encode(errorBody("a", [path])))).toBeDefined();
        },
      ),
    );
  });

  test("a property without namespace does not take that of its place", () => {
    expect(emptyProp({ ns: "", name: "a" })).toBe('<a xmlns=""/>');
  });

  test("a resource of which nothing was asked still has a propstat", () => {
    expect(propResponse("/", [])).toContain("<D:propstat><D:prop/>");
  });
});

describe("href", () => {
  test.each([
    ["/", true, "/"],
    ["/a b", false, "/a%20b"],
    ["/a", true, "/a/"],
    ["/a/", true, "/a/"],
    ["/ü/100%/#?", false, "/%C3%BC/100%25/%23%3F"],
    ["/a+b,c;d=e@f:g&h$", false, "/a+b,c;d=e@f:g&h$"],
    ["/\ud800", false, "/%EF%BF%BD"],
  ])("%p (collection: %p) is %s", (path, collection, text) => {
    expect(href(path, collection)).toBe(text);
  });

  test("what it writes, the request line reads back", () => {
    const segment = fc
      .string({ unit: "grapheme", minLength: 1 })
      .filter((s) => !/[/\p{Cc}]|^\.\.?$/u.test(s));
    fc.assert(
      fc.property(
        fc.array(
          segment.map((s) => s.toWellFormed()),
          { minLength: 1 },
        ),
        (segments) => {
          const path = `/${segments.join("/")}`;
          expect(decodeTarget(href(path, false))?.path).toBe(path);
        },
      ),
    );
  });
});
