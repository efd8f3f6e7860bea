/** The files of a collection in the order of their paths' bytes, as S3 lists keys. */
import type { FileNode, Tree } from "./tree.ts";

export interface Wanted {
  /** Only keys that begin so. */
  readonly prefix: string;
  /** Only keys behind this one. */
  readonly after: string;
  /** Collections in which there is more than the prefix are told as one. */
  readonly fold: boolean;
}

/** A file, or a whole collection. */
export type Keyed =
  | { readonly key: string; readonly file: FileNode }
  /** `key` ends in a slash. */
  | { readonly key: string; readonly file?: undefined };

/** `base` is the collection's path; keys are relative to it. Rejects with `Unsure`. */
export function keys(tree: Tree, base: string, wanted: Wanted): AsyncGenerator<Keyed, void> {
  return within(tree, base, "", wanted);
}

async function* within(
  tree: Tree,
  base: string,
  directory: string,
  wanted: Wanted,
): AsyncGenerator<Keyed, void> {
  const { prefix, after, fold } = wanted;
  const path = directory === "" ? base : `${base}/${directory.slice(0, -1)}`;
  const chosen = (name: string, collection: boolean): boolean => {
    const key = directory + name + (collection ? "/" : "");
    if (!collection) return key.startsWith(prefix) && isBehind(key, after);
    return (
      (key.startsWith(prefix) || prefix.startsWith(key)) &&
      (isBehind(key, after) || after.startsWith(key))
    );
  };
  for await (const batch of tree.members("any", path, chosen))
    for (const node of batch) {
      const key = node.path.slice(base.length + 1);
      if (node.kind === "file") {
        yield { key, file: node };
        continue;
      }
      const folder = `${key}/`;
      if (!fold || prefix.startsWith(folder)) {
        yield* within(tree, base, folder, wanted);
        continue;
      }
      // One in which nothing is left has been told already, or never had a file.
      const inner = within(tree, base, folder, { ...wanted, fold: false });
      if ((await inner.next()).done !== true) yield { key: folder };
    }
}

/** Later in the order of UTF-8's bytes? */
function isBehind(key: string, after: string): boolean {
  return after === "" || Buffer.compare(Buffer.from(key), Buffer.from(after)) > 0;
}
