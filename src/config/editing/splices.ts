import { type Document, isMap, isScalar, type Node } from "yaml";

import type { KeyPath } from "../key-path.ts";
import { isPlainMap, type Plain } from "../plain.ts";
import {
  emptied,
  firstLines,
  insertInList,
  insertInMap,
  removeFromList,
  removeFromMap,
  replaceInList,
  replaceInMap,
} from "./block.ts";
import type { Change } from "./change.ts";
import { inline, type Manner, quotedAs } from "./emit.ts";
import { insertInFlow, removeFromFlow } from "./flow.ts";
import { Layout, type Splice } from "./layout.ts";
import { colonEnd, dashOf, endOf, type Home, keyOf, pairs, placeOf, startOf } from "./place.ts";

/** How a change is made in a text; no splices when no way is known. */
export type Way =
  | { readonly kind: "splices"; readonly splices: readonly Splice[] }
  /** What stands at `path` is written elsewhere, behind an alias: it has to be written out here. */
  | { readonly kind: "write out"; readonly path: KeyPath };

/** Find the characters that make a change. `document` is of `text`, its source tokens kept. */
export function wayOf(document: Document, text: string, change: Change): Way {
  const layout = new Layout(text);
  const { path } = change;
  const key = path.at(-1);
  if (key === undefined) return way(wholeText(document, change, layout));
  const above = placeOf(document, path.slice(0, -1));
  if (above.kind === "elsewhere") return { kind: "write out", path: above.path };
  const home = homeOf(above.home, above.node);
  if (home === undefined) return { kind: "write out", path: path.slice(0, -1) };
  const manner = mannerOf(home.node, layout);

  if (change.kind === "insert") return way(inserted(home, key, change.value, layout, manner));
  const there = placeOf(document, path);
  if (there.kind === "elsewhere")
    // A merge key has it: one of its own goes before that, but nothing can be taken away.
    return change.kind === "replace"
      ? way(inserted(home, key, change.value, layout, manner))
      : { kind: "write out", path: path.slice(0, -1) };
  const index = isMap(home.node)
    ? pairs(home.node).findIndex((pair) => keyOf(pair) === String(key))
    : Number(key);
  if (change.kind === "replace")
    return way(replaced(home, index, there.node, change.value, layout, manner));
  return way(removed(document, home, index, path.slice(0, -1), layout));
}

function way(splices: readonly Splice[]): Way {
  return { kind: "splices", splices };
}

function homeOf(above: Home | undefined, node: Node | null): Home | undefined {
  if (node === null || !("items" in node)) return undefined;
  const flow = (above?.flow ?? false) || (node as { flow?: boolean }).flow === true;
  return { node, flow };
}

function wholeText(document: Document, change: Change, layout: Layout): Splice[] {
  if (change.kind === "remove") return [];
  const node = document.contents as Node | null;
  const json: Manner = { json: false, eol: layout.eol };
  if (node === null || (isScalar(node) && node.value === null))
    return firstLines(change.value, layout, json);
  return [{ start: startOf(node), end: endOf(node), text: inline(change.value, json) }];
}

function inserted(
  { node, flow }: Home,
  key: string | number,
  value: Plain,
  layout: Layout,
  manner: Manner,
): Splice[] {
  if (flow) return insertInFlow(node, isMap(node) ? String(key) : key, value, layout, manner);
  if (isMap(node)) return insertInMap(node, String(key), value, layout, manner);
  return insertInList(node, Number(key), value, layout, manner);
}

function replaced(
  { node, flow }: Home,
  index: number,
  old: Node | null,
  value: Plain,
  layout: Layout,
  manner: Manner,
): Splice[] {
  const start = old ? startOf(old) : 0;
  const end = endOf(old);
  const isWord = isScalar(old) && (old.type === "PLAIN" || old.type?.startsWith("QUOTE"));
  if (old && end > start && (flow || (isWord && isWordValue(value)))) {
    const text = isWord
      ? quotedAs(value, layout.text.slice(start, end), manner)
      : inline(value, manner);
    return [{ start, end, text }];
  }
  if (!isMap(node)) return flow ? [] : replaceInList(node, index, value, layout, manner);
  const pair = pairs(node)[index];
  if (!pair) return [];
  const colon = colonEnd(pair);
  if (flow)
    return colon === undefined
      ? [{ start: endOf(pair.key), end: endOf(pair.key), text: `: ${inline(value, manner)}` }]
      : [{ start: colon, end: colon, text: ` ${inline(value, manner)}` }];
  return replaceInMap(pair, value, layout, manner);
}

function removed(
  document: Document,
  { node, flow }: Home,
  index: number,
  path: KeyPath,
  layout: Layout,
): Splice[] {
  if (flow) return removeFromFlow(node, index, layout);
  const { items } = node as unknown as { items: readonly unknown[] };
  if (items.length > 1)
    return isMap(node) ? removeFromMap(node, index, layout) : removeFromList(node, index, layout);
  const sign = signOf(document, path);
  if (sign !== undefined) return emptied(sign, node, layout);
  const start = layout.lineStart(startOf(node));
  return [{ start, end: layout.lineAfter(endOf(node)), text: "" }]; // the whole text had one key
}

/** Behind the colon or dash that a collection stands behind. */
function signOf(document: Document, path: KeyPath): number | undefined {
  const key = path.at(-1);
  if (key === undefined) return undefined;
  const place = placeOf(document, path);
  if (place.kind === "elsewhere" || !place.home) return undefined;
  const { node } = place.home;
  if (!isMap(node)) {
    const dash = dashOf(node, Number(key));
    return dash === undefined ? undefined : dash + 1;
  }
  const pair = pairs(node).find((one) => keyOf(one) === String(key));
  return pair && colonEnd(pair);
}

function isWordValue(value: Plain): boolean {
  return typeof value !== "object" || value === null || (!isPlainMap(value) && value.length === 0);
}

/** JSON stays JSON: where the first key or item is quoted and between brackets, so is what is new. */
function mannerOf(node: Node, { text, eol }: Layout): Manner {
  const start = startOf(node);
  const json = /^[{[]\s*["{[]/.test(text.slice(start, start + 200)) && text.trimStart()[0] === "{";
  return { json, eol };
}
