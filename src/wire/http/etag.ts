/** Entity tags (RFC 9110, 8.8.3): `"opaque"`, or `W/"opaque"` for a weak one. */
import type { Coding } from "./encoding.ts";

export interface Version {
  /** Bytes of the file as it is, before any coding. */
  readonly size: number;
  /** Last change, in milliseconds since 1970; fractions count down to the microsecond. */
  readonly mtimeMs: number;
}

const SUFFIX: Record<Coding | "identity", string> = {
  identity: "",
  gzip: "-g",
  br: "-b",
  zstd: "-z",
};

/**
 * A strong tag of one representation of a file, made without its inode, so that replicas of the
 * file agree on it. Coded variants have tags of their own, since their bytes differ (8.8.3.3).
 * `beside`: the coded bytes are a file of their own, which may be made anew from the same original.
 */
export function strongEtag(
  version: Version,
  coding: Coding | "identity" = "identity",
  beside?: Version,
): string {
  return `"${show(version)}${beside ? `-${show(beside)}` : ""}${SUFFIX[coding]}"`;
}

/** The tags in `text` that `strongEtag` gives this version of a file in whatever coding. */
export function tagsOf(version: Version, text: string): string[] {
  return text.match(new RegExp(`"${show(version)}(?:-[0-9a-z]+)*"`, "g")) ?? [];
}

function show({ mtimeMs, size }: Version): string {
  return `${Math.floor(mtimeMs * 1000).toString(36)}-${size.toString(36)}`;
}

/** Is `etag` in this If-Match list by strong comparison (13.1.1)? `*` is for the caller to see. */
export function matchesStrong(list: string, etag: string): boolean {
  if (etag.startsWith("W/")) return false;
  return list === etag || contains(list, etag, true);
}

/** Is `etag` in this If-None-Match list by weak comparison (13.1.2)? `*` is for the caller to see. */
export function matchesWeak(list: string, etag: string): boolean {
  const opaque = etag.startsWith("W/") ? etag.slice(2) : etag;
  return list === opaque || contains(list, opaque, false);
}

/**
 * Walk `1#entity-tag`. Quoted text may hold commas and, unlike a quoted-string, backslashes that
 * mean themselves. The walk ends at the first thing that is no tag: what follows it counts as absent.
 */
function contains(list: string, opaque: string, strong: boolean): boolean {
  let at = 0;
  for (;;) {
    at = skip(list, at);
    if (at >= list.length) return false;
    const weak = list.startsWith("W/", at);
    if (weak) at += 2;
    if (list[at] !== '"') return false;
    const end = list.indexOf('"', at + 1) + 1;
    if (end === 0) return false;
    if (!(strong && weak) && end - at === opaque.length && list.startsWith(opaque, at)) return true;
    at = end;
    while (list[at] === " " || list[at] === "\t") at++;
    if (at < list.length && list[at] !== ",") return false;
  }
}

/** Over white space and empty list elements (5.6.1). */
function skip(list: string, from: number): number {
  let at = from;
  while (list[at] === " " || list[at] === "\t" || list[at] === ",") at++;
  return at;
}
