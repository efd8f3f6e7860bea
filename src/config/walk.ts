import { type Document, isMap, isScalar, isSeq, type Node } from "yaml";

import type { KeyPath } from "./key-path.ts";

/** A node of a document and how it was reached. */
export interface Step {
  readonly node: Node;
  readonly depth: number;
  path(): KeyPath;
}

/**
 * Every value of a document in the order of the text, maps and lists before what is in them; keys
 * and what aliases stand for are not entered. Unlike the yaml package's `visit`, its time does not
 * grow with the square of the depth, so that a hostile text costs nothing.
 */
export function* walk(document: Document): Generator<Step> {
  const stack: Link[] = [];
  if (document.contents) stack.push(new Link(document.contents as Node, undefined, ""));
  for (let link = stack.pop(); link !== undefined; link = stack.pop()) {
    yield link;
    stack.push(...below(link).toReversed());
  }
}

class Link implements Step {
  readonly node: Node;
  readonly depth: number;
  readonly #parent: Link | undefined;
  readonly #key: string | number;

  constructor(node: Node, parent: Link | undefined, key: string | number) {
    this.node = node;
    this.depth = parent === undefined ? 0 : parent.depth + 1;
    this.#parent = parent;
    this.#key = key;
  }

  path(): KeyPath {
    return this.#parent === undefined ? [] : [...this.#parent.path(), this.#key];
  }
}

function below(link: Link): Link[] {
  const { node } = link;
  if (isSeq(node)) return (node.items as Node[]).map((item, i) => new Link(item, link, i));
  if (!isMap(node)) return [];
  return node.items.flatMap(({ key, value }) =>
    value ? [new Link(value as Node, link, isScalar(key) ? String(key.value) : "?")] : [],
  );
}
