import { SaxesParser } from "saxes";

/** An XML element and where things of it stand, as offsets of the text. */
export interface Element {
  readonly name: string;
  readonly at: number;
  readonly attributes: ReadonlyMap<string, Attribute>;
  readonly children: readonly Element[];
  /** Where text stands that is no white space; undefined when there is none. */
  readonly textAt: number | undefined;
}

export interface Attribute {
  readonly value: string;
  /** Of the value's first character. */
  readonly at: number;
}

export type Elements =
  | { readonly kind: "root"; readonly root: Element }
  | { readonly kind: "malformed"; readonly at: number; readonly why: string };

type Open = Omit<Element, "attributes" | "children" | "textAt"> & {
  readonly attributes: Map<string, Attribute>;
  readonly children: Element[];
  textAt: number | undefined;
};

/** The elements of an XML text. Comments, instructions and a DOCTYPE mean nothing. Never throws. */
export function readElements(text: string): Elements {
  const parser = new SaxesParser();
  const stack: Open[] = [];
  let root: Element | undefined;
  let wrong: { at: number; why: string } | undefined;

  // Only the first: what follows is but its consequence.
  parser.on("error", ({ message }) => {
    wrong ??= { at: parser.position, why: message.replace(/^[\d:]+ /, "").replace(/\.$/, "") };
  });
  parser.on("opentagstart", ({ name }) => {
    const at = text.lastIndexOf("<", parser.position - 1);
    const element: Open = { name, at, attributes: new Map(), children: [], textAt: undefined };
    stack.at(-1)?.children.push(element);
    root ??= element;
    stack.push(element);
  });
  parser.on("attribute", ({ name, value }) => {
    // Behind the closing quote, of which there is none in the value.
    const end = parser.position - 1;
    const at = text.lastIndexOf(text[end] ?? "", end - 1) + 1;
    stack.at(-1)?.attributes.set(name, { value, at });
  });
  const take = (said: string): void => {
    const open = stack.at(-1);
    if (open && said.trim() !== "") open.textAt ??= parser.position - 1;
  };
  parser.on("text", take);
  parser.on("cdata", take);
  parser.on("closetag", () => void stack.pop());
  parser.write(text).close();

  if (wrong) return { kind: "malformed", ...wrong };
  if (root === undefined) return { kind: "malformed", at: 0, why: "there is no element in it" };
  return { kind: "root", root };
}
