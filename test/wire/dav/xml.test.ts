import { describe, expect, test } from "bun:test";

import fc from "fast-check";

import { escapeXml } from "../../../src/core/escape-xml.ts";
import {
  elements,
  emitXml,
  is,
  MAX_DEPTH,
  parseXml,
  textOf,
  type XmlElement,
} from "../../../src/wire/dav/xml.ts";

const utf8 = (text: string) => new TextEncoder().encode(text);
const read = (text: string) => parseXml(utf8(text));

/** What an element means: prefixes and declarations left out. */
function meaning(e: XmlElement): unknown {
  const text: unknown[] = [];
  for (const child of e.children) {
    if (typeof child !== "string") text.push(meaning(child));
    else if (typeof text.at(-1) === "string") text.push(`${text.pop()}${child}`);
    else if (child !== "") text.push(child);
  }
  const attributes = e.attributes.map((a) => `{${a.ns}}${a.name}=${a.value}`).sort();
  return { name: `{${e.ns}}${e.name}`, attributes, text };
}

describe("XML", () => {
  test("reads namespaces, text, CDATA and attributes", () => {
    const root = read(
      '<?xml version="1.0"?><!-- note --><D:a xmlns:D="DAV:" b="1"> x<![CDATA[<y>]]><c xmlns="u"/></D:a>',
    );
    expect(root && meaning(root)).toEqual({
      name: "{DAV:}a",
      attributes: ["{}b=1"],
      text: [" x<y>", { name: "{u}c", attributes: [], text: [] }],
    });
    expect(root && textOf(root)).toBe(" x<y>");
    expect(root && elements(root).map((e) => is(e, "u", "c"))).toEqual([true]);
  });

  test.each([
    ["nothing", ""],
    ["text alone", "hello"],
    ["an element that does not end", "<a><b></a>"],
    ["two roots", "<a/><b/>"],
    ["a prefix nobody declared", "<x:a/>"],
    ["a prefix declared as nothing", '<x:a xmlns:x=""/>'],
    ["an attribute twice", '<a b="1" b="2"/>'],
    ["an attribute twice, by two prefixes", '<a xmlns:x="u" xmlns:y="u" x:b="" y:b=""/>'],
    ["a document type", "<!DOCTYPE a><a/>"],
    ["an entity of its own", '<!DOCTYPE a [<!ENTITY e "v">]><a>&e;</a>'],
    ["a billion laughs", '<!DOCTYPE a [<!ENTITY b "ha"><!ENTITY c "&b;&b;">]><a>&c;</a>'],
    ["a file of ours", '<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><a>&e;</a>'],
    ["an entity nobody declared", "<a>&nbsp;</a>"],
    ["a control character", "<a>\x01</a>"],
    ["a control character, escaped", "<a>&#1;</a>"],
    ["half a surrogate pair", "<a>&#xD800;</a>"],
    ["one level too deep", "<a>".repeat(MAX_DEPTH + 1) + "</a>".repeat(MAX_DEPTH + 1)],
  ])("refuses %s", (_, text) => {
    expect(read(text)).toBeUndefined();
  });

  test("refuses bytes that are no UTF-8", () => {
    expect(parseXml(Uint8Array.of(0x3c, 0x61, 0x3e, 0xff, 0x3c, 0x2f, 0x61, 0x3e))).toBeUndefined();
  });

  test.each([
    ["UTF-8 with its mark", Buffer.concat([Buffer.of(0xef, 0xbb, 0xbf), Buffer.from("<a>ü</a>")])],
    ["UTF-16LE", Buffer.from("\ufeff<a>ü</a>", "utf16le")],
    ["UTF-16BE", Buffer.from("\ufeff<a>ü</a>", "utf16le").swap16()],
  ])("reads %s", (_, bytes) => {
    const root = parseXml(bytes);
    expect(root && textOf(root)).toBe("ü");
  });

  test("as deep as is allowed", () => {
    expect(read("<a>".repeat(MAX_DEPTH) + "</a>".repeat(MAX_DEPTH))).toBeDefined();
  });
});

describe("XML written elsewhere", () => {
  test("keeps prefixes, the namespaces in scope and the language", () => {
    const root = read(
      '<D:set xmlns:D="DAV:" xmlns:x="u" xml:lang="de"><x:p a="&lt;">x:name<q/></x:p></D:set>',
    );
    const [p] = root ? elements(root) : [];
    const text = p ? emitXml(p) : "";
    expect(text).toContain('xmlns:x="u"');
    expect(text).toContain('xml:lang="de"');
    const again = read(`<other xmlns="v" xmlns:x="w">${text}</other>`);
    const [moved] = again ? elements(again) : [];
    expect(moved && meaning(moved)).toEqual({
      name: "{u}p",
      attributes: ["{http://www.w3.org/XML/1998/namespace}lang=de", "{}a=<"],
      text: ["x:name", { name: "{}q", attributes: [], text: [] }],
    });
  });

  test("a nearer language wins", () => {
    const root = read('<a xml:lang="de"><b xml:lang="fr"/></a>');
    const [b] = root ? elements(root) : [];
    expect(b && emitXml(b)).toBe('<b xmlns="" xml:lang="fr"/>');
  });

  const name = fc.stringMatching(/^[a-zA-Z_][a-zA-Z0-9_.-]{0,5}$/).filter((n) => !/^xml/i.test(n));
  const text = fc.string({ unit: "grapheme", maxLength: 10 });
  const prefix = fc.constantFrom("", "p:", "q:");
  const { element } = fc.letrec<{ element: string }>((tie) => ({
    element: fc
      .tuple(
        prefix,
        name,
        text,
        fc.array(fc.oneof({ maxDepth: 4 }, text.map(escapeXml), tie("element")), { maxLength: 3 }),
        prefix,
      )
      .map(([p, n, value, inside, declares]) => {
        const space = declares === "" ? ' xmlns="d"' : ` xmlns:${declares.slice(0, 1)}="${n}"`;
        return `<${p}${n}${space} a="${escapeXml(value)}">${inside.join("")}</${p}${n}>`;
      }),
  }));

  test("means the same wherever it is put", () => {
    fc.assert(
      fc.property(element, (inner) => {
        const root = read(`<r xmlns:p="one" xmlns:q="two" xml:lang="en">${inner}</r>`);
        const [first] = root ? elements(root) : [];
        if (!first) throw new Error("the generator made no XML");
        const again = read(`<s xmlns="three" xmlns:q="four">${emitXml(first)}</s>`);
        const [moved] = again ? elements(again) : [];
        const lang = "{http://www.w3.org/XML/1998/namespace}lang=en";
        const was = meaning(first) as { attributes: string[] };
        expect(moved && meaning(moved)).toEqual({ ...was, attributes: [lang, ...was.attributes] });
      }),
    );
  });

  test("no bytes upset it", () => {
    const noise = fc.string({
      unit: fc.constantFrom(..."<>/=\"'&;!?[]-DAVxmlns: \n"),
      maxLength: 60,
    });
    fc.assert(fc.property(noise, (t) => void read(t)));
    fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), (b) => void parseXml(b)));
  });

  test("any text can be escaped; what XML cannot say is replaced", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 30 }), (t) => {
        const root = read(`<a b="${escapeXml(t)}">${escapeXml(t)}</a>`);
        expect(root && textOf(root)).toBe(root?.attributes[0]?.value ?? "");
      }),
    );
    expect(escapeXml("\0\ud800\ufffe")).toBe("\ufffd\ufffd\ufffd");
  });
});
