/** What a URL path names: a file, a collection, or a free place. */
import { type Stats, statSync } from "node:fs";

import { within } from "../../../net/dav/paths.ts";
import { href } from "../../../wire/dav/href.ts";
import { strongEtag, tagsOf } from "../../../wire/http/etag.ts";
import type { Located, Refusal, Tree } from "../tree.ts";

export interface Resource {
  /** Decoded URL path without a slash at its end, "/" apart. */
  readonly path: string;
  readonly kind: "file" | "collection" | "special" | "none";
  /** Where it is on disk; a symbolic link itself, where it is one. */
  readonly file: string;
  /** Real directory that holds it. */
  readonly directory: string;
  /** What the store knows it by. A link to a directory is known as that directory: so are the paths beneath it. */
  readonly key: string;
  /** Undefined for "none". */
  readonly stats: Stats | undefined;
  readonly located: Located;
}

/** Look at what is there now. */
export function find(tree: Tree, path: string): Resource | Refusal {
  const located = tree.locate(path);
  if (typeof located === "string") return located;
  const { stats, file, directory, real } = located;
  const kind = kindOf(stats);
  const key = kind === "collection" && real !== undefined ? real : file;
  return { path: withoutSlash(path), kind, file, directory, key, stats, located };
}

export function kindOf(stats: Stats | undefined): Resource["kind"] {
  if (!stats) return "none";
  return stats.isDirectory() ? "collection" : stats.isFile() ? "file" : "special";
}

/** `/a/` → `/a` */
export function withoutSlash(path: string): string {
  return path.length > 1 && path.endsWith("/") ? path.slice(0, -1) : path;
}

/** The same tag as GET gives; undefined for what is no file. */
export function etagOf(stats: Stats | undefined): string | undefined {
  return stats?.isFile() ? strongEtag({ size: stats.size, mtimeMs: stats.mtimeMs }) : undefined;
}

/**
 * The tag of `etagOf`, or those by which the field `text` calls this version: a client that got it
 * compressed names the tag of that coding when it writes.
 */
export function etagsIn(text: string, stats: Stats | undefined): string[] {
  const own = etagOf(stats);
  if (!stats || own === undefined) return [];
  const named = tagsOf({ size: stats.size, mtimeMs: stats.mtimeMs }, text);
  return named.length > 0 ? named : [own];
}

/** Its directory is there to take new members. */
export function hasParent(resource: Resource): boolean {
  return statSync(resource.directory, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/** Escaped URL path of what the store knows by `key`; what lies above the root is shown as the root. */
export function hrefOfKey(tree: Tree, key: string, collection: boolean): string {
  const root = tree.realRoot;
  const path =
    root !== "/" && within(key, root) ? key.slice(root.length) : root === "/" ? key : "/";
  return href(path || "/", collection);
}
