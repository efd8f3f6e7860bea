import { openToRead } from "../read.ts";
import type { About } from "../write.ts";
import { type FileNode, isKept, type Tree, type View } from "./tree.ts";
import { Unsure } from "./unsure.ts";

/** Keep what `node` is at `path` too. `about` takes the place of what is known of it. */
export async function copyFile(
  tree: Tree,
  { shelf, name }: FileNode,
  to: View,
  path: string,
  about?: About,
): Promise<void> {
  const opened = await openToRead(shelf, name, () => 0);
  if (opened.kind === "unsure") throw new Unsure(opened.why);
  if (opened.kind !== "open") return; // deleted meanwhile: there is nothing to copy
  const { body } = opened;
  const { version } = body;
  const { type, meta } = version.kind === "file" ? version : { type: undefined, meta: undefined };
  const same: About = { type, mtime: version.mtime, meta: () => meta };
  try {
    isKept(await tree.put(to, path, body.bytes(0, version.size), about ?? same, () => true));
  } finally {
    body.close();
  }
}
