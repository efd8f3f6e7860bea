/** DELETE (RFC 4918, 9.6). A collection vanishes at once; what it held is deleted out of sight. */
import { lstatSync, renameSync, unlinkSync } from "node:fs";

import { multistatus, plain } from "../../../net/dav/answers.ts";
import { fsyncDirectory } from "../../../sys/durable.ts";
import { parseDepth } from "../../../wire/dav/depth.ts";
import { href } from "../../../wire/dav/href.ts";
import { type HttpRequest, type HttpResponse, respond } from "../../../wire/http/message.ts";
import type { Caller, DavContext } from "./context.ts";
import { guard } from "./guard.ts";
import { existing, isAnswer, parentClaim } from "./place.ts";
import { removeTree, type Stuck } from "./remove-tree.ts";
import type { Resource } from "./resource.ts";
import { temporaryPath } from "./temporary.ts";

export async function remove(
  dav: DavContext,
  request: HttpRequest,
  caller: Caller,
): Promise<HttpResponse> {
  const depth = parseDepth(request.headers.get("depth"), "infinity");
  const store = dav.store();
  const gone = await store.exclusively(
    (): HttpResponse | { resource: Resource; trash: string | undefined } => {
      const resource = existing(dav, request.path);
      if (isAnswer(resource)) return resource;
      if (resource.path === "/") return plain(403, "The root stays.");
      const isDirectory = resource.kind === "collection" && !resource.located.link;
      if (depth === undefined || (isDirectory && depth !== "infinity"))
        return plain(400, "A collection goes with all it holds: Depth must be infinity.");
      const tree = { key: resource.file, reach: "tree" } as const;
      const refused = guard(dav, request, caller, resource, [tree, ...parentClaim(resource)]);
      if (refused) return refused;
      if (!isDirectory) {
        unlinkSync(resource.file);
        forget(dav, resource.file);
        return { resource, trash: undefined };
      }
      const trash = temporaryPath(resource.directory, "gone");
      rename(dav, resource.file, trash);
      return { resource, trash };
    },
  );
  if ("status" in gone) return gone;

  const { resource, trash } = gone;
  dav.onChange(resource.path);
  await fsyncDirectory(resource.directory);
  const stuck = trash === undefined ? [] : await removeTree(trash);
  if (trash === undefined) return respond(204);
  if (stuck.length === 0) {
    await store.exclusively(() => forget(dav, trash));
    return respond(204);
  }
  return await partly(dav, resource, trash, stuck);
}

/** Some of it could not be deleted: that must be seen, so it gets its name back. */
async function partly(
  dav: DavContext,
  resource: Resource,
  trash: string,
  stuck: readonly Stuck[],
): Promise<HttpResponse> {
  const back = await dav.store().exclusively(() => {
    if (lstatSync(resource.file, { throwIfNoEntry: false })) return false; // something new is there
    rename(dav, trash, resource.file);
    return true;
  });
  if (!back) {
    dav.log.warn("a deleted collection left something behind", { path: trash });
    return respond(204);
  }
  dav.onChange(resource.path);
  await fsyncDirectory(resource.directory);
  return multistatus(
    stuck.map(({ file, status }) => ({
      href: href(resource.path + file.slice(trash.length), false),
      status,
    })),
  );
}

/** Within `exclusively`: rename, with all that is remembered. */
function rename(dav: DavContext, from: string, to: string): void {
  const { locks, properties } = dav.store();
  properties.moveTree(from, to);
  locks.moveTree(from, to);
  renameSync(from, to);
}

/** Within `exclusively`: what is gone has no locks and no properties. */
function forget(dav: DavContext, key: string): void {
  const { locks, properties } = dav.store();
  properties.removeTree(key);
  locks.removeTree(key);
}
