/** DELETE (RFC 4918, 9.6). */
import { type MemberStatus, multistatus, plain } from "../../../net/dav/answers.ts";
import { parseDepth } from "../../../wire/dav/depth.ts";
import { type HttpResponse, respond } from "../../../wire/http/message.ts";
import { type CollectionNode, type FileNode, NotKept } from "../tree/tree.ts";
import { STATUSES } from "../troubles.ts";
import { type Call, type DavContext, hrefOf } from "./context.ts";
import { guard, stillMay } from "./guard.ts";
import { existing, isAnswer, parentClaim } from "./place.ts";

export async function remove(dav: DavContext, call: Call): Promise<HttpResponse> {
  const { path, request } = call;
  const there = await existing(dav, call);
  if (isAnswer(there)) return there;
  if (path === "/") return plain(403, "The root stays.");
  const depth = parseDepth(request.headers.get("depth"), "infinity");
  if (depth === undefined || (there.node.kind === "collection" && depth !== "infinity"))
    return plain(400, "A collection goes with all it holds: Depth must be infinity.");
  const claims = [{ key: path, reach: "tree" } as const, ...parentClaim(path)];
  const refused = await guard(dav, call, there, claims);
  if (refused) return refused;
  if (there.node.kind === "file") {
    let changed: HttpResponse | undefined;
    await dav.tree.remove(there.node, (newest) => {
      changed = stillMay(dav, call, newest, claims);
      return changed === undefined;
    });
    if (changed) return changed;
    await forget(dav, path);
    return respond(204);
  }
  const stuck = await removeTree(dav, call, there.node);
  return stuck.length === 0 ? respond(204) : multistatus(stuck);
}

/** Delete a file, or a collection with all it holds; what cannot be deleted, and why. */
export async function removeTree(
  dav: DavContext,
  call: Call,
  node: FileNode | CollectionNode,
): Promise<MemberStatus[]> {
  const stuck: MemberStatus[] = [];
  await removeBeneath(dav, call, node, stuck);
  if (stuck.length === 0) await forget(dav, node.path);
  return stuck;
}

async function removeBeneath(
  dav: DavContext,
  call: Call,
  node: FileNode | CollectionNode,
  stuck: MemberStatus[],
): Promise<void> {
  const before = stuck.length;
  try {
    if (node.kind === "file") return void (await dav.tree.remove(node));
    for await (const batch of dav.tree.members(call.view, node.path))
      await Promise.all(batch.map((member) => removeBeneath(dav, call, member, stuck)));
    // A collection with something in it stays as it was made.
    if (stuck.length === before) await dav.tree.unmakeCollection(call.view, node.path);
  } catch (error) {
    if (!(error instanceof NotKept)) throw error;
    const [status] = STATUSES[error.trouble];
    stuck.push({ href: hrefOf(call, node.path, node.kind === "collection"), status });
  }
}

/** What is gone has no locks and no properties. */
async function forget(dav: DavContext, path: string): Promise<void> {
  const { locks, properties } = dav.store();
  await dav.store().exclusively(() => {
    properties.removeTree(path);
    locks.removeTree(path);
  });
}
