import { isMap, type Node } from "yaml";

import type { Plain } from "../plain.ts";
import { inline, type Manner, name } from "./emit.ts";
import type { Layout, Splice } from "./layout.ts";
import { endOf, pairs, startOf } from "./place.ts";

/** The items of a collection between brackets, from the first character to behind the last. */
interface Extent {
  readonly start: number;
  readonly end: number;
}

function extents(node: Node): Extent[] {
  if (isMap(node))
    return pairs(node).map(({ key, value }) => ({
      start: startOf(key),
      end: value === null ? endOf(key) : Math.max(endOf(key), endOf(value)),
    }));
  const { items } = node as unknown as { items: readonly Node[] };
  return items.map((item) => ({ start: startOf(item), end: endOf(item) }));
}

/** Put an item into a flow collection: the last of a map, or the one at `index` of a list. */
export function insertInFlow(
  node: Node,
  key: string | number,
  value: Plain,
  layout: Layout,
  manner: Manner,
): Splice[] {
  const text =
    typeof key === "string"
      ? `${name(key, manner)}: ${inline(value, manner)}`
      : inline(value, manner);
  const all = extents(node);
  const next = typeof key === "number" ? all[key] : undefined;
  const last = all.at(-1);
  const open = startOf(node) + 1;
  const close = (node.range?.[1] ?? 0) - 1;
  if (last === undefined) {
    const padded = typeof key === "string" ? ` ${text} ` : text;
    return [{ start: open, end: layout.afterSpaces(open), text: padded }];
  }
  if (next !== undefined) {
    const ownLine = layout.isFirst(next.start);
    const between = ownLine ? `${layout.eol}${" ".repeat(layout.column(next.start))}` : " ";
    return [{ start: next.start, end: next.start, text: `${text},${between}` }];
  }
  const comma = layout.comma(last.end, close);
  const after = comma === undefined ? last.end : comma + 1;
  if (!layout.isFirst(last.start) || layout.lineStart(close) === layout.lineStart(last.end))
    return [{ start: after, end: after, text: comma === undefined ? `, ${text}` : ` ${text}` }];
  // One item to a line: its own line too, and the comment behind the last one stays with it.
  const indent = " ".repeat(layout.column(last.start));
  const lineEnd = layout.lineEnd(after);
  const line = { start: lineEnd, end: lineEnd, text: `${layout.eol}${indent}${text}` };
  if (comma !== undefined) return [{ ...line, text: `${line.text},` }];
  if (lineEnd === last.end) return [{ ...line, text: `,${line.text}` }];
  return [{ start: last.end, end: last.end, text: "," }, line];
}

/** Take the item at `index` out of a flow collection, with its comma. */
export function removeFromFlow(node: Node, index: number, layout: Layout): Splice[] {
  const all = extents(node);
  const [item, before, next] = [all[index], all[index - 1], all[index + 1]];
  if (item === undefined) return [];
  const open = startOf(node) + 1;
  const close = (node.range?.[1] ?? 0) - 1;
  const comma = layout.comma(item.end, next?.start ?? close);
  const end = comma === undefined ? item.end : comma + 1;

  const lineEnd = layout.lineEnd(end);
  const behind = layout.text.slice(end, lineEnd).trim();
  const ownLine = layout.isFirst(item.start) && (behind === "" || behind.startsWith("#"));
  const prior = comma === undefined && before ? layout.comma(before.end, item.start) : undefined;
  const priorComma = prior === undefined ? [] : [{ start: prior, end: prior + 1, text: "" }];
  if (ownLine)
    return [
      ...priorComma,
      { start: layout.lineStart(item.start), end: layout.lineAfter(lineEnd), text: "" },
    ];
  if (next) return [{ start: item.start, end: next.start > lineEnd ? end : next.start, text: "" }];
  if (before === undefined && close <= lineEnd) return [{ start: open, end: close, text: "" }];
  const alone = before && layout.text.slice(before.end, item.start).trim() === ",";
  if (before && alone) return [{ start: before.end, end, text: "" }];
  return [...priorComma, { start: item.start, end: layout.afterSpaces(end), text: "" }];
}
