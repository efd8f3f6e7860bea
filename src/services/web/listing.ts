/** Directory listings: HTML that needs no script, and JSON. */
import { preferred } from "../../wire/http/accept.ts";
import { isoTime, listingPage } from "./listing-page.ts";
import type { Entry } from "./origin.ts";

export const COLUMNS = ["name", "size", "time"] as const;
export type Column = (typeof COLUMNS)[number];
export interface Order {
  readonly by: Column;
  readonly down: boolean;
}

export interface Listing {
  readonly type: string;
  readonly text: string;
  /** The client's Accept has decided. */
  readonly varies: boolean;
}

/**
 * The directory at `path` (decoded, ends in "/"). `kind` as configured: true lets `?format=` or
 * Accept choose.
 */
export function listing(
  path: string,
  entries: readonly Entry[],
  asked: { readonly query: string; readonly accept: string | null },
  kind: true | "html" | "json",
): Listing {
  const query = new URLSearchParams(asked.query);
  const order = orderOf(query);
  const sorted = entries.toSorted((a, b) => compare(a, b, order));
  const format = query.get("format");
  const said = format === "json" || format === "html" ? format : undefined;
  const liked =
    preferred(asked.accept, ["text/html", "application/json"]) === "application/json"
      ? "json"
      : "html";
  const chosen = kind === true ? (said ?? liked) : kind;
  const varies = kind === true && said === undefined;
  return chosen === "json"
    ? { type: "application/json", text: asJson(sorted), varies }
    : { type: "text/html; charset=utf-8", text: listingPage(path, sorted, order), varies };
}

/** `?sort=size&order=desc` */
function orderOf(query: URLSearchParams): Order {
  const by = COLUMNS.find((column) => column === query.get("sort")) ?? "name";
  return { by, down: query.get("order") === "desc" };
}

const byName = new Intl.Collator("en", { numeric: true }).compare;

/** Directories first, whatever the order. */
function compare(a: Entry, b: Entry, { by, down }: Order): number {
  if (a.directory !== b.directory) return a.directory ? -1 : 1;
  const difference = by === "size" ? a.size - b.size : by === "time" ? a.mtimeMs - b.mtimeMs : 0;
  const sign = down ? -1 : 1;
  return difference === 0 ? byName(a.name, b.name) * (by === "name" ? sign : 1) : difference * sign;
}

/** The fields of nginx's autoindex_format json. */
function asJson(entries: readonly Entry[]): string {
  const rows = entries.map(({ directory, mtimeMs, name, size }) => ({
    name,
    type: directory ? "directory" : "file",
    mtime: isoTime(mtimeMs),
    ...(directory ? {} : { size }),
  }));
  return `${JSON.stringify(rows, undefined, 1)}\n`;
}
