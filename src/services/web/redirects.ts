/** Paths that have moved. */
import type { SiteConfig } from "./config.ts";

export interface Redirect {
  readonly status: number;
  readonly location: string;
}

/** Where `path` (decoded) has moved; the first rule that matches. The query goes along. */
export function redirectFor(
  rules: SiteConfig["redirects"],
  path: string,
  query: string,
): Redirect | undefined {
  for (const { from, status, to } of rules) {
    const rest = matched(from, path);
    if (rest === undefined) continue;
    return { status, location: withQuery(here(to.replace("*", () => encodePath(rest))), query) };
  }
  return undefined;
}

/** Percent-encode a decoded path for a Location. Backslashes too: browsers take them for slashes. */
export function encodePath(path: string): string {
  return path.split("/").map(encodeURIComponent).join("/");
}

export function withQuery(location: string, query: string): string {
  return query === "" ? location : `${location}${location.includes("?") ? "&" : "?"}${query}`;
}

/** What "*" stands for, "" for an exact match; undefined when `path` is not meant. */
function matched(from: string, path: string): string | undefined {
  if (!from.endsWith("*")) return from === path ? "" : undefined;
  const prefix = from.slice(0, -1);
  return path.startsWith(prefix) ? path.slice(prefix.length) : undefined;
}

/** "//name/x" would be another host (RFC 3986, 4.2): what a stranger puts in for "*" must not make one. */
function here(location: string): string {
  return location.startsWith("/") ? location.replace(/^\/+/, "/") : location;
}
