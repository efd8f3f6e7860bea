import { Document } from "yaml";

import { isPlainList, isPlainMap, type Plain } from "../plain.ts";

/** How a value is to be written where it will stand. */
export interface Manner {
  /** As JSON: everything quoted. */
  readonly json: boolean;
  /** What ends a line. */
  readonly eol: string;
}

/** A collection that takes more than this stands on lines of its own. */
const MOST_COLUMNS = 80;
const STEP = 2;

/** On one line, whatever it is: fit for flow collections and for block ones. */
export function inline(value: Plain, { json }: Pick<Manner, "json">): string {
  if (json) return JSON.stringify(value);
  if (isPlainList(value)) return `[${value.map((item) => inline(item, { json })).join(", ")}]`;
  if (!isPlainMap(value)) return scalar(value);
  const pairs = Object.entries(value).map(
    ([key, inner]) => `${scalar(key)}: ${inline(inner, { json })}`,
  );
  return pairs.length === 0 ? "{}" : `{ ${pairs.join(", ")} }`;
}

/** Would an operator write it on one line? Everything but collections of collections, if short. */
function fitsOneLine(value: Plain): boolean {
  if (typeof value !== "object" || value === null) return true;
  const items = Object.values(value);
  if (items.length === 0) return true;
  if (items.some((item) => typeof item === "object" && item !== null && !isShortList(item)))
    return false;
  return inline(value, { json: false }).length <= MOST_COLUMNS;
}

/** What stands behind `key:` in a block map: ` 5`, ` { a: 1 }`, or lines indented by `indent`. */
export function behindKey(value: Plain, indent: number, manner: Manner): string {
  if (fitsOneLine(value)) return ` ${inline(value, manner)}`;
  return `${manner.eol}${" ".repeat(indent)}${lines(value, indent, manner)}`;
}

/** What stands behind `-` in a block list; `indent` is where it begins. */
export function behindDash(value: Plain, indent: number, manner: Manner): string {
  return ` ${fitsOneLine(value) ? inline(value, manner) : lines(value, indent, manner)}`;
}

/** A collection on lines, the first of them without its indentation. */
export function lines(value: Plain, indent: number, manner: Manner): string {
  const between = `${manner.eol}${" ".repeat(indent)}`;
  if (isPlainList(value))
    return value.map((item) => `-${behindDash(item, indent + STEP, manner)}`).join(between);
  if (!isPlainMap(value) || Object.keys(value).length === 0) return inline(value, manner);
  return Object.entries(value)
    .map(([key, inner]) => `${name(key, manner)}:${behindKey(inner, indent + STEP, manner)}`)
    .join(between);
}

/** A key. */
export function name(key: string, { json }: Pick<Manner, "json">): string {
  return json ? JSON.stringify(key) : scalar(key);
}

/** A text in the quotes that the one before it had, where they can hold it. */
export function quotedAs(value: Plain, old: string, manner: Manner): string {
  if (typeof value !== "string" || manner.json) return inline(value, manner);
  if (old.startsWith('"')) return JSON.stringify(value);
  // oxlint-disable-next-line no-control-regex -- what single quotes cannot hold
  const single = old.startsWith("'") && !/[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff]/.test(value);
  return single ? `'${value.replaceAll("'", "''")}'` : scalar(value);
}

/** A short list of plain values is as good as one value. */
function isShortList(value: Plain): boolean {
  return isPlainList(value) && value.every((item) => typeof item !== "object" || item === null);
}

/** Plain where that is read back as the same value, even between brackets; in quotes otherwise. */
function scalar(value: string | number | boolean | null): string {
  // oxlint-disable-next-line no-control-regex -- JSON's escapes are YAML's
  if (typeof value === "string" && /[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff]/.test(value))
    return JSON.stringify(value);
  const document = new Document([value], { schema: "core" });
  const list = document.contents as { flow?: boolean } | null;
  if (list) list.flow = true;
  return document.toString({ lineWidth: 0, flowCollectionPadding: false }).trim().slice(1, -1);
}
