/**
 * COPY and MOVE (RFC 4918, 9.8 and 9.9). Names decide where files are, so a move is a copy, and then
 * the source goes: whoever is killed in between leaves it twice, never nowhere.
 */
import { type MemberStatus, multistatus, plain } from "../../../net/dav/answers.ts";
import type { Claim } from "../../../net/dav/locking.ts";
import { within } from "../../../net/dav/paths.ts";
import { type Depth, parseDepth } from "../../../wire/dav/depth.ts";
import { parseOverwrite } from "../../../wire/dav/overwrite.ts";
import { type HttpResponse, respond } from "../../../wire/http/message.ts";
import { copyFile } from "../tree/copy-file.ts";
import { type Node, NotKept, type View } from "../tree/tree.ts";
import { STATUSES } from "../troubles.ts";
import { type Call, type DavContext, hrefOf } from "./context.ts";
import { removeTree } from "./delete.ts";
import { guard, readReference } from "./guard.ts";
import { existing, isAnswer, parentClaim, type Place, placeFor } from "./place.ts";

/** What the request asks for, once both ends are known and it may be done. */
interface Task {
  readonly source: Place & { readonly node: Node };
  readonly target: Place;
  readonly to: View;
  readonly deep: boolean;
}

export async function copyOrMove(dav: DavContext, call: Call): Promise<HttpResponse> {
  const task = await plan(dav, call);
  if (isAnswer(task)) return task;
  const { source, target, to, deep } = task;
  const move = call.request.method === "MOVE";
  const bothFiles = source.node.kind === "file" && target.node?.kind === "file";
  if (target.node !== undefined && !bothFiles) {
    const stuck = await removeTree(dav, call, target.node);
    if (stuck.length > 0) return multistatus(stuck);
  }
  const failures: MemberStatus[] = [];
  await carry(dav, call, source.node, to, target.path, deep, failures);
  const { properties, locks } = dav.store();
  await dav.store().exclusively(() => {
    properties.removeTree(target.path);
    if (deep) properties.copyTree(source.path, target.path);
    else properties.copy(source.path, target.path);
  });
  if (move && failures.length === 0) {
    failures.push(...(await removeTree(dav, call, source.node)));
    locks.removeTree(source.path); // a lock is of the name, which is free now
  }
  if (failures.length > 0) return multistatus(failures);
  return respond(target.node === undefined ? 201 : 204);
}

/** Copy one, and with `deep` all beneath it. What cannot be copied is told. */
async function carry(
  dav: DavContext,
  call: Call,
  node: Node,
  to: View,
  path: string,
  deep: boolean,
  failures: MemberStatus[],
): Promise<void> {
  try {
    if (node.kind === "file") return await copyFile(dav.tree, node, to, path);
    await dav.tree.makeCollection(to, path);
    if (!deep) return;
    for await (const batch of dav.tree.members(call.view, node.path))
      await Promise.all(
        batch.map((member) => {
          const name = member.path.slice(member.path.lastIndexOf("/"));
          return carry(dav, call, member, to, path + name, deep, failures);
        }),
      );
  } catch (error) {
    if (!(error instanceof NotKept)) throw error;
    const [status] = STATUSES[error.trouble];
    failures.push({ href: hrefOf(call, node.path, node.kind === "collection"), status });
  }
}

/** Both ends as they are now, or the answer that says why it may not be. */
async function plan(dav: DavContext, call: Call): Promise<Task | HttpResponse> {
  const { request } = call;
  const move = request.method === "MOVE";
  const depth = parseDepth(request.headers.get("depth"), "infinity");
  const overwrite = parseOverwrite(request.headers.get("overwrite"));
  if (overwrite === undefined) return plain(400, "Overwrite must be T or F.");
  const destination = readReference(dav, request, request.headers.get("destination"));
  if (destination === undefined)
    return plain(400, "The Destination header is missing or cannot be read.");
  if (destination === "elsewhere") return plain(502, "The destination is on another server.");
  const denied = await dav.refuse(request, destination.path);
  if (denied) return denied;
  const source = await existing(dav, call);
  if (isAnswer(source)) return source;
  const target = await placeFor(dav, destination.view, destination.path);
  if (isAnswer(target)) return target;
  const wrong = depthFits(depth, move, source.node) ?? endsFit(source, target, depth);
  if (wrong) return wrong;
  if (target.node !== undefined && !overwrite)
    return plain(412, "There is something at the destination already.");

  const claims: Claim[] = [
    ...(move ? [{ key: source.path, reach: "tree" } as const, ...parentClaim(source.path)] : []),
    { key: target.path, reach: target.node === undefined ? "itself" : "tree" },
    ...parentClaim(target.path),
  ];
  const refused = await guard(dav, call, source, claims);
  return refused ?? { source, target, to: destination.view, deep: depth !== 0 };
}

function depthFits(
  depth: Depth | undefined,
  move: boolean,
  source: Node,
): HttpResponse | undefined {
  const fits = depth === "infinity" || (depth === 0 && (!move || source.kind === "file"));
  return fits ? undefined : plain(400, "That Depth does not go with this method.");
}

function endsFit(
  source: Place & { readonly node: Node },
  target: Place,
  depth: Depth | undefined,
): HttpResponse | undefined {
  if (source.path === target.path) return plain(403, "Source and destination are the same.");
  if (depth !== 0 && source.node.kind === "collection" && within(target.path, source.path))
    return plain(403, "A collection cannot come to be within itself.");
  if (within(source.path, target.path))
    return plain(403, "The destination holds the source: it would be deleted first.");
  return undefined;
}
