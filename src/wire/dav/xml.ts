/**
 * XML as WebDAV needs it: a strict reader that makes a small tree, and a writer of subtrees that
 * can be read again anywhere. No document type, no entities, bounded depth.
 */
import { SaxesParser } from "saxes";

import { escapeXml } from "../../core/escape-xml.ts";

export interface XmlElement {
  /** Namespace name; "" for none. */
  readonly ns: string;
  readonly name: string;
  /** As sent: RFC 4918, 4.3 wants prefixes of dead properties kept. */
  readonly prefix: string;
  readonly attributes: readonly XmlAttribute[];
  /** Namespaces declared right here, by prefix. */
  readonly declared: Readonly<Record<string, string>>;
  readonly parent: XmlElement | undefined;
  readonly children: readonly (XmlElement | string)[];
}

export interface XmlAttribute {
  readonly ns: string;
  readonly name: string;
  readonly prefix: string;
  readonly value: string;
}

/** Elements within elements. The deepest body RFC 4918 knows has 5. */
export const MAX_DEPTH = 64;
const XML_NS = "http://www.w3.org/XML/1998/namespace";

/** Read a whole document. Undefined when it is not well-formed, has a DOCTYPE or nests too deep. */
export function parseXml(bytes: Uint8Array): XmlElement | undefined {
  try {
    return read(decode(bytes));
  } catch {
    return undefined; // the decoder's or the parser's refusal; neither has another way to say it
  }
}

/** RFC 4918, 8.2: UTF-8 and UTF-16 must be understood; other encodings need not be. */
function decode(bytes: Uint8Array): string {
  const mark = ((bytes[0] ?? 0) << 8) | (bytes[1] ?? 0);
  const coding = mark === 0xfeff ? "utf-16be" : mark === 0xfffe ? "utf-16le" : "utf-8";
  return new TextDecoder(coding, { fatal: true }).decode(bytes);
}

type Open = Omit<XmlElement, "children"> & { children: (XmlElement | string)[] };

function read(text: string): XmlElement | undefined {
  const parser = new SaxesParser({ xmlns: true });
  let root: XmlElement | undefined;
  let open: Open | undefined;
  let depth = 0;

  parser.on("error", (problem) => {
    throw problem;
  });
  parser.on("doctype", () => {
    throw new Error("a document type");
  });
  parser.on("opentag", (tag) => {
    if (++depth > MAX_DEPTH) throw new Error("nested too deep");
    const attributes = Object.values(tag.attributes)
      .filter((a) => a.prefix !== "xmlns" && a.name !== "xmlns")
      .map((a) => ({ ns: a.uri, name: a.local, prefix: a.prefix, value: a.value }));
    const { uri: ns, local: name, prefix } = tag;
    const element: Open = {
      ns,
      name,
      prefix,
      attributes,
      declared: { ...tag.ns },
      parent: open,
      children: [],
    };
    open?.children.push(element);
    root ??= element;
    open = element;
  });
  parser.on("closetag", () => {
    depth--;
    open = open?.parent as Open | undefined; // every parent was made above, as an Open
  });
  const take = (more: string): void => {
    open?.children.push(more);
  };
  parser.on("text", take);
  parser.on("cdata", take);
  parser.write(text).close();
  return root;
}

/** Is it this element of this namespace? */
export function is(element: XmlElement | string, ns: string, name: string): element is XmlElement {
  return typeof element !== "string" && element.ns === ns && element.name === name;
}

/** The elements within, text left out. */
export function elements(element: XmlElement): XmlElement[] {
  return element.children.filter((child) => typeof child !== "string");
}

/** The text within, of all depths. */
export function textOf(element: XmlElement): string {
  return element.children.map((c) => (typeof c === "string" ? c : textOf(c))).join("");
}

/**
 * Write an element so that it means the same wherever it is put: all namespaces in scope are
 * declared on it, since text may use their prefixes too, and so is the `xml:lang` it inherits.
 */
export function emitXml(element: XmlElement): string {
  const scope: Record<string, string> = {};
  let lang: XmlAttribute | undefined;
  for (let at: XmlElement | undefined = element; at; at = at.parent) {
    for (const [prefix, ns] of Object.entries(at.declared)) scope[prefix] ??= ns;
    lang ??= at.attributes.find((a) => a.ns === XML_NS && a.name === "lang");
  }
  const inherited = lang && !element.attributes.includes(lang) ? [lang] : [];
  // The place it is put in may have a default namespace; without one here, none is meant.
  scope[""] ??= "";
  return emit(element, scope, inherited);
}

function emit(
  element: XmlElement,
  declared: Readonly<Record<string, string>>,
  inherited: readonly XmlAttribute[],
): string {
  const tag = qualified(element);
  const spaces = Object.entries(declared)
    .filter(([prefix]) => prefix !== "xml" && prefix !== "xmlns") // bound by themselves
    .map(([prefix, ns]) => ` ${prefix === "" ? "xmlns" : `xmlns:${prefix}`}="${escapeXml(ns)}"`);
  const attributes = [...element.attributes, ...inherited].map(
    (a) => ` ${qualified(a)}="${escapeXml(a.value)}"`,
  );
  const head = tag + spaces.join("") + attributes.join("");
  if (element.children.length === 0) return `<${head}/>`;
  const inside = element.children.map((c) =>
    typeof c === "string" ? escapeXml(c) : emit(c, c.declared, []),
  );
  return `<${head}>${inside.join("")}</${tag}>`;
}

function qualified(name: { readonly prefix: string; readonly name: string }): string {
  return name.prefix === "" ? name.name : `${name.prefix}:${name.name}`;
}
