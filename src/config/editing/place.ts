import { type Document, isAlias, isMap, isScalar, isSeq, type Node, type Pair } from "yaml";

import type { KeyPath } from "../key-path.ts";

/** A map or list, and how it is written. */
export interface Home {
  readonly node: Node;
  /** Between brackets, itself or anything around it. */
  readonly flow: boolean;
}

/** Where a path leads in a document. */
export type Place =
  | { readonly kind: "here"; readonly home: Home | undefined; readonly node: Node | null }
  /** Behind an alias or a merge key: what stands at `path` is written somewhere else. */
  | { readonly kind: "elsewhere"; readonly path: KeyPath };

/** Follow a path through what is written, not through what aliases stand for. */
export function placeOf(document: Document, path: KeyPath): Place {
  let node = document.contents as Node | null;
  let home: Home | undefined;
  for (const [depth, key] of path.entries()) {
    if (!isMap(node) && !isSeq(node)) return { kind: "elsewhere", path: path.slice(0, depth) };
    home = { node, flow: (home?.flow ?? false) || node.flow === true };
    const found = isMap(node)
      ? pairs(node).find((pair) => keyOf(pair) === String(key))
      : (node.items[Number(key)] as Node | undefined);
    if (found === undefined) return { kind: "elsewhere", path: path.slice(0, depth + 1) };
    node = "key" in found ? found.value : found;
    if (isAlias(node) && depth < path.length - 1)
      return { kind: "elsewhere", path: path.slice(0, depth + 1) };
  }
  return { kind: "here", home, node };
}

export function pairs(map: Node): readonly Pair<Node, Node | null>[] {
  return isMap(map) ? (map.items as Pair<Node, Node | null>[]) : [];
}

export function keyOf(pair: Pair<Node, Node | null>): string | undefined {
  return isScalar(pair.key) ? String(pair.key.value) : undefined;
}

/** The first character of a node; of one with an anchor or a tag, what stands behind it. */
export function startOf(node: Node): number {
  return node.range?.[0] ?? 0;
}

/** Behind the last character that belongs to a node, comments below it not counted. */
export function endOf(node: Node | null): number {
  if (isMap(node) && node.flow !== true) {
    const last = pairs(node).at(-1);
    if (last) return last.value === null ? endOf(last.key) : endOf(last.value);
  }
  if (isSeq(node) && node.flow !== true) {
    const last = node.items.at(-1) as Node | undefined;
    if (last) return endOf(last);
  }
  return node?.range?.[1] ?? 0;
}

/** Behind the colon of a pair. */
export function colonEnd(pair: Pair): number | undefined {
  const token = pair.srcToken?.sep?.find(({ type }) => type === "map-value-ind");
  return token && token.offset + 1;
}

/** The dash of an item of a block list. */
export function dashOf(list: Node, index: number): number | undefined {
  const { srcToken } = list as { srcToken?: unknown };
  if (typeof srcToken !== "object" || srcToken === null || !("items" in srcToken)) return undefined;
  const { start = [] } = (srcToken.items as readonly Item[])[index] ?? {};
  return start.find(({ type }) => type === "seq-item-ind")?.offset;
}

/** Of a block list's syntax, as the yaml package keeps it. */
interface Item {
  readonly start?: readonly { readonly type: string; readonly offset: number }[];
}
