import { isMap, isScalar, isSeq, type Node, type Pair } from "yaml";

import type { Plain } from "../plain.ts";
import { behindDash, behindKey, inline, lines, type Manner, name } from "./emit.ts";
import type { Layout, Splice } from "./layout.ts";
import { colonEnd, dashOf, endOf, pairs, startOf } from "./place.ts";

/** Put a key at the end of a block map. */
export function insertInMap(
  map: Node,
  key: string,
  value: Plain,
  layout: Layout,
  manner: Manner,
): Splice[] {
  const [first] = pairs(map);
  if (!first) return [];
  const last = pairs(map).at(-1) ?? first;
  const column = layout.column(startOf(first.key));
  const text = `${name(key, manner)}:${behindKey(value, column + 2, manner)}`;
  // Sections with a blank line between them get one more.
  const blank = column === 0 && last !== first && isBlankAbove(startOf(last.key), layout);
  const line = `${blank ? layout.eol : ""}${" ".repeat(column)}${text}`;
  return [layout.insertLines(layout.lineAfter(endOf(map)), line)];
}

function isBlankAbove(offset: number, layout: Layout): boolean {
  let at = layout.lineStart(offset);
  while (at > 0) {
    const start = layout.lineStart(at - 1);
    const line = layout.text.slice(start, at).trim();
    if (line === "") return true;
    if (!line.startsWith("#")) return false;
    at = start; // comments above it are its own
  }
  return false;
}

/** Put an item into a block list. */
export function insertInList(
  list: Node,
  index: number,
  value: Plain,
  layout: Layout,
  manner: Manner,
): Splice[] {
  const first = dashOf(list, 0);
  if (first === undefined) return [];
  const column = layout.column(first);
  const pad = " ".repeat(column);
  const item = `-${behindDash(value, column + 2, manner)}`;
  const line = pad + item;
  const next = dashOf(list, index);
  if (next !== undefined && !layout.isFirst(next))
    return [{ start: next, end: next, text: item + layout.eol + pad }]; // a list that begins behind a dash
  const at = next === undefined ? layout.lineAfter(endOf(list)) : layout.lineStart(next);
  return [layout.insertLines(at, line)];
}

/** Take a pair out of a block map that has others. */
export function removeFromMap(map: Node, index: number, layout: Layout): Splice[] {
  const pair = pairs(map)[index];
  if (!pair) return [];
  const start = startOf(pair.key);
  const end = pair.value === null ? endOf(pair.key) : endOf(pair.value);
  if (layout.isFirst(start)) return [wholeLines(start, end, layout)];
  // Behind a dash: the next key moves up to it, unless there are comments between the two.
  const next = pairs(map)[index + 1];
  if (!next) return [];
  const below = layout.lineAfter(end);
  const between = layout.text.slice(below, startOf(next.key));
  if (between.trim() === "") return [{ start, end: startOf(next.key), text: "" }];
  return [{ start: layout.beforeSpaces(start), end: below, text: layout.eol }];
}

/** Take an item out of a block list that has others. */
export function removeFromList(list: Node, index: number, layout: Layout): Splice[] {
  const dash = dashOf(list, index);
  const item = (list as unknown as { items: readonly Node[] }).items[index];
  if (dash === undefined || !item) return [];
  const next = dashOf(list, index + 1);
  if (!layout.isFirst(dash) && next !== undefined) return [{ start: dash, end: next, text: "" }];
  return [wholeLines(dash, endOf(item), layout)];
}

function wholeLines(start: number, end: number, layout: Layout): Splice {
  return { start: layout.lineStart(start), end: layout.lineAfter(Math.max(start, end)), text: "" };
}

/** Another value behind a key of a block map. */
export function replaceInMap(
  pair: Pair<Node, Node | null>,
  value: Plain,
  layout: Layout,
  manner: Manner,
): Splice[] {
  const colon = colonEnd(pair);
  if (colon === undefined) return [];
  const behind = behindKey(value, layout.column(startOf(pair.key)) + 2, manner);
  return replaced(colon, pair.value, behind, layout);
}

/** Another item of a block list. */
export function replaceInList(
  list: Node,
  index: number,
  value: Plain,
  layout: Layout,
  manner: Manner,
): Splice[] {
  const dash = dashOf(list, index);
  const item = (list as unknown as { items: readonly Node[] }).items[index];
  if (dash === undefined || !item) return [];
  const behind = behindDash(value, layout.column(dash) + 2, manner);
  return replaced(dash + 1, item, behind, layout);
}

/** `sign` is behind the colon or the dash. What stood there goes; comments on its line stay. */
function replaced(sign: number, old: Node | null, behind: string, layout: Layout): Splice[] {
  const [first = "", ...rest] = behind.split(/\r?\n/);
  const below = rest.length === 0 ? "" : layout.eol + rest.join(layout.eol);
  const start = old ? startOf(old) : sign;
  const end = Math.max(endOf(old), start);
  const sameLine = layout.lineStart(start) === layout.lineStart(sign);
  if (sameLine && !isTall(old)) {
    const lineEnd = layout.lineEnd(end);
    const put = { start: sign, end: Math.max(end, sign), text: first };
    if (below === "") return [put];
    return lineEnd === put.end
      ? [{ ...put, text: first + below }]
      : [put, { start: lineEnd, end: lineEnd, text: below }];
  }
  if (sameLine) {
    // A block of text, whose mark stands here, or a map that begins behind a dash.
    const until = layout.text[end - 1] === "\n" ? layout.lineEnd(end - 1) : end;
    return [{ start: sign, end: trimmed(until, layout), text: first + below }];
  }
  const text = below === "" ? "" : below.slice(layout.eol.length) + layout.eol;
  return [
    { start: sign, end: sign, text: first },
    { start: layout.lineStart(start), end: layout.lineAfter(end), text },
  ];
}

/** Back over the line ends before an offset: a block of text takes in what is blank below it. */
function trimmed(offset: number, layout: Layout): number {
  let at = offset;
  while (at > 0 && /\s/.test(layout.text[at - 1] ?? "")) at--;
  return at;
}

/** Does it take lines of its own? */
function isTall(node: Node | null): boolean {
  if (isMap(node) || isSeq(node)) return node.flow !== true;
  return isScalar(node) && (node.type === "BLOCK_LITERAL" || node.type === "BLOCK_FOLDED");
}

/** The last item of a block collection goes: what stays is an empty one. */
export function emptied(sign: number, old: Node, layout: Layout): Splice[] {
  return replaced(sign, old, isMap(old) ? " {}" : " []", layout);
}

/** The whole text, where nothing but comments was. */
export function firstLines(value: Plain, layout: Layout, manner: Manner): Splice[] {
  const isCollection = typeof value === "object" && value !== null;
  const text = isCollection ? lines(value, 0, manner) : inline(value, manner);
  return [layout.insertLines(layout.text.length, text)];
}
