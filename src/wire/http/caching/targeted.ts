/** CDN-Cache-Control: what is said to caches like this one alone (RFC 9213). */
import { type Directives, parseCacheControl } from "./cache-control.ts";

const KEY = "[a-z*][a-z0-9_.*-]*";
const ITEM =
  /-?\d{1,15}(?:\.\d{1,3})?|"(?:[ !#-[\]-~]|\\["\\])*"|[A-Za-z*][!#$%&'*+.^_`|~0-9A-Za-z:/-]*|\?[01]|:[A-Za-z0-9+/=]*:/
    .source;
const PARAMETERS = `(?:; *${KEY}(?:=(?:${ITEM}))?)*`;
/** A member of a Structured Fields dictionary (RFC 9651, 3.2), and what is behind it. */
const MEMBER = new RegExp(`[ \\t]*(${KEY})(?:=(${ITEM}))?${PARAMETERS}[ \\t]*(?:,|$)`, "y");
/** Directives that are whole numbers. */
const NUMBERS = new Set(["max-age", "s-maxage", "stale-while-revalidate", "stale-if-error"]);

/**
 * Read a field value. Undefined when it is empty, no dictionary, or gives a number as something else:
 * it counts as not there then, and Cache-Control speaks (RFC 9213, 2.1).
 */
export function parseTargeted(value: string | undefined): Directives | undefined {
  if (value === undefined || value.trim() === "" || /,[ \t]*$/.test(value)) return undefined;
  const plain: string[] = [];
  MEMBER.lastIndex = 0;
  while (MEMBER.lastIndex < value.length) {
    const [, key, item] = MEMBER.exec(value) ?? [];
    if (key === undefined) return undefined;
    if (NUMBERS.has(key) && !/^\d+$/.test(item ?? "")) return undefined;
    if (item !== "?0") plain.push(item === undefined || item === "?1" ? key : `${key}=${item}`);
  }
  return parseCacheControl(plain.join(", "));
}
