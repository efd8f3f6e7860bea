/** Which resources a PROPFIND is about. */
import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";

import type { Depth } from "../../../wire/dav/depth.ts";
import type { Tree } from "../tree.ts";
import type { Described } from "./live-properties.ts";
import { find, kindOf, type Resource } from "./resource.ts";

/** Looked at together; between two batches other requests have their turn. */
const BATCH = 64;

/** Depth infinity ends here: beyond it a client has to walk by itself (RFC 4918, 9.1). */
export const MAX_INFINITE = 10_000;

/**
 * The resource and those beneath it, in batches. "too many" instead when Depth is infinity and
 * there are more than MAX_INFINITE.
 */
export async function listing(
  tree: Tree,
  top: Resource,
  depth: Depth,
): Promise<AsyncIterable<readonly Described[]> | "too many"> {
  const first = described(top);
  if (depth === "infinity" && top.kind === "collection") {
    const all = await everything(tree, first);
    return all === "too many" ? all : batches(all);
  }
  const names = depth === 1 && top.kind === "collection" ? await readdir(top.key) : [];
  return members(tree, first, names);
}

async function* members(
  tree: Tree,
  top: Described,
  names: readonly string[],
): AsyncGenerator<readonly Described[]> {
  yield [top];
  for (let at = 0; at < names.length; at += BATCH)
    yield await look(tree, top, names.slice(at, at + BATCH));
}

async function everything(tree: Tree, first: Described): Promise<Described[] | "too many"> {
  const all = [first];
  // Grows while it is walked: breadth first, without recursion.
  for (const folder of all) {
    // Links are shown but not walked: one may lead up, and round and round.
    if (folder.kind !== "collection" || (folder.linked && folder !== first)) continue;
    for (
      let names = await readdirIfThere(folder.key);
      names.length > 0;
      names = names.slice(BATCH)
    ) {
      all.push(...(await look(tree, folder, names.slice(0, BATCH))));
      if (all.length > MAX_INFINITE) return "too many";
    }
  }
  return all;
}

async function* batches(all: readonly Described[]): AsyncGenerator<readonly Described[]> {
  for (let at = 0; at < all.length; at += BATCH) yield all.slice(at, at + BATCH);
}

/** Members that may be seen and are still there. */
async function look(
  tree: Tree,
  folder: Described,
  names: readonly string[],
): Promise<readonly Described[]> {
  const base = folder.path === "/" ? "" : folder.path;
  const found = await Promise.all(
    names.map(async (name): Promise<Described | undefined> => {
      const path = `${base}/${name}`;
      if (tree.admits(path)) return undefined;
      const key = join(folder.key, name);
      const stats = await lstat(key).catch(() => undefined); // gone meanwhile
      if (!stats) return undefined;
      if (stats.isSymbolicLink()) return throughLink(tree, path);
      const kind = kindOf(stats);
      return kind === "special" ? undefined : { path, kind, key, stats, linked: false };
    }),
  );
  return found.filter((it) => it !== undefined);
}

/** Where the policy lets a link lead. */
function throughLink(tree: Tree, path: string): Described | undefined {
  const found = find(tree, path);
  if (typeof found === "string" || found.kind === "none" || found.kind === "special")
    return undefined;
  return described(found);
}

/** For what is known to be there. */
function described(resource: Resource): Described {
  const { path, kind, key, stats, located } = resource;
  if (!stats) throw new Error(`nothing at ${path}`); // its callers have looked
  return { path, kind, key, stats, linked: located.link };
}

async function readdirIfThere(directory: string): Promise<readonly string[]> {
  return await readdir(directory).catch(() => []); // deleted or closed meanwhile: it has no members to show
}
