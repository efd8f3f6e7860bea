/** Giving a resource a new name, in place of whatever has that name. */
import { renameSync } from "node:fs";

import type { DavContext } from "./context.ts";
import type { Resource } from "./resource.ts";
import { temporaryPath } from "./temporary.ts";

/**
 * Within `store.exclusively`: rename `from` to where `to` is. A file replaces a file in one step;
 * otherwise the old one steps aside first, to the path answered, where it waits to be deleted.
 * Locks and properties of the old one go; a lock on its very name stays, since the lock is of the
 * name (RFC 4918, 7.6). When this throws, the files are as before.
 */
export function replace(
  dav: DavContext,
  from: string,
  fromIsDirectory: boolean,
  to: Resource,
): string | undefined {
  const { locks, properties } = dav.store();
  properties.removeTree(to.file);
  locks.removeBeneath(to.file);
  const toIsDirectory = to.kind === "collection" && !to.located.link;
  if (to.kind === "none" || (!fromIsDirectory && !toIsDirectory)) {
    renameSync(from, to.file);
    return undefined;
  }
  const aside = temporaryPath(to.directory, "gone");
  renameSync(to.file, aside);
  try {
    renameSync(from, to.file);
  } catch (failed) {
    renameSync(aside, to.file);
    throw failed;
  }
  return aside;
}
