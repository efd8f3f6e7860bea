/** COPY and MOVE (RFC 4918, 9.8 and 9.9). What arrives is shown whole or not at all. */
import { closeSync, fsyncSync, openSync, renameSync } from "node:fs";

import { type MemberStatus, multistatus, plain } from "../../../net/dav/answers.ts";
import type { Claim } from "../../../net/dav/locking.ts";
import { within } from "../../../net/dav/paths.ts";
import { fsyncDirectory } from "../../../sys/durable.ts";
import { type Depth, parseDepth } from "../../../wire/dav/depth.ts";
import { parseReference, sameAuthority } from "../../../wire/dav/destination.ts";
import { href } from "../../../wire/dav/href.ts";
import { parseOverwrite } from "../../../wire/dav/overwrite.ts";
import { type HttpRequest, type HttpResponse, respond } from "../../../wire/http/message.ts";
import { decodeTarget } from "../../../wire/http/path.ts";
import type { Caller, DavContext } from "./context.ts";
import { copyTree } from "./copy-tree.ts";
import { statusOfError } from "./failure.ts";
import { guard } from "./guard.ts";
import { existing, isAnswer, parentClaim, placeFor } from "./place.ts";
import { removeTree, type Stuck } from "./remove-tree.ts";
import { replace } from "./replace.ts";
import { etagOf, type Resource } from "./resource.ts";
import { temporaryPath } from "./temporary.ts";

/** What the request asks for, once both ends are known and it may be done. */
interface Task {
  readonly move: boolean;
  readonly source: Resource;
  readonly target: Resource;
  readonly deep: boolean;
}

/** What was done, and hidden paths that still have to be deleted. */
interface Done {
  readonly task: Task;
  readonly aside: readonly string[];
  /** A source that could be copied but not removed. */
  readonly kept?: MemberStatus;
}

export async function copyOrMove(
  dav: DavContext,
  request: HttpRequest,
  caller: Caller,
): Promise<HttpResponse> {
  const task = plan(dav, request, caller);
  if ("status" in task) return task;
  const again = (): Task | HttpResponse => plan(dav, request, caller);
  try {
    if (task.move) return await finish(dav, await rename(dav, again), []);
  } catch (failed) {
    if (!isCrossDevice(failed)) throw failed;
  }
  return await carry(dav, task, again);
}

/** A move within one file system. */
async function rename(
  dav: DavContext,
  again: () => Task | HttpResponse,
): Promise<Done | HttpResponse> {
  const { locks, properties } = dav.store();
  return await dav.store().exclusively(() => {
    const task = again();
    if ("status" in task) return task;
    const { source, target } = task;
    const aside = replace(dav, source.file, isDirectory(source), target);
    properties.moveTree(source.file, target.file);
    locks.removeTree(source.file); // a lock is of the name, which is free now
    return { task, aside: aside === undefined ? [] : [aside] };
  });
}

/** A copy, or a move to another file system: made under a hidden name, then renamed. */
async function carry(
  dav: DavContext,
  task: Task,
  again: () => Task | HttpResponse,
): Promise<HttpResponse> {
  const temporary = temporaryPath(task.target.directory, "copy");
  try {
    const { move, deep, source } = task;
    const from = source.located.real ?? source.file;
    const stuck = await copyTree(from, temporary, { deep, keepTimes: move });
    // A move must not lose what it could not copy.
    if (move && stuck.length > 0) return multistatus(stuck.map((s) => memberOf(source, from, s)));
    const done = await dav.store().exclusively(() => settle(dav, temporary, task, again));
    return await finish(
      dav,
      done,
      stuck.map((s) => memberOf(source, from, s)),
    );
  } finally {
    await removeTree(temporary); // it is gone when all went well
  }
}

/** Within `exclusively`: the copy takes its place, and of a move the source goes. */
function settle(
  dav: DavContext,
  temporary: string,
  before: Task,
  again: () => Task | HttpResponse,
): Done | HttpResponse {
  const { locks, properties } = dav.store();
  const task = again();
  if ("status" in task) return task;
  const { source, target, move, deep } = task;
  if (etagOf(source.stats) !== etagOf(before.source.stats))
    return plain(409, "Somebody else has changed the source meanwhile.");

  // In this order a process killed in between leaves the source twice, never nowhere.
  const old = replace(dav, temporary, source.kind === "collection", target);
  if (deep) properties.copyTree(source.key, target.file);
  else properties.copy(source.key, target.file);
  const aside = old === undefined ? [] : [old];
  if (!move) return { task, aside };
  const trash = temporaryPath(source.directory, "gone");
  try {
    syncNow(target.directory); // two file systems: nothing else orders what reaches the disks
    renameSync(source.file, trash);
  } catch (failed) {
    const status = statusOfError(failed);
    if (status === undefined) throw failed;
    return { task, aside, kept: { href: href(source.path, false), status } };
  }
  properties.removeTree(source.file);
  locks.removeTree(source.file);
  return { task, aside: [...aside, trash] };
}

function syncNow(directory: string): void {
  const fd = openSync(directory, "r");
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Everything that can wait until the names are right. */
async function finish(
  dav: DavContext,
  done: Done | HttpResponse,
  failures: readonly MemberStatus[],
): Promise<HttpResponse> {
  if ("status" in done) return done;
  const { source, target, move } = done.task;
  dav.onChange(target.path);
  if (move) dav.onChange(source.path);
  await fsyncDirectory(target.directory);
  if (move && source.directory !== target.directory) await fsyncDirectory(source.directory);
  for (const path of done.aside) {
    const stuck = await removeTree(path);
    if (stuck.length > 0) dav.log.warn("a replaced collection left something behind", { path });
  }
  const all = done.kept ? [...failures, done.kept] : failures;
  if (all.length > 0) return multistatus(all);
  return respond(target.kind === "none" ? 201 : 204);
}

/** Both ends as they are now, or the answer that says why it may not be. */
function plan(dav: DavContext, request: HttpRequest, caller: Caller): Task | HttpResponse {
  const move = request.method === "MOVE";
  const depth = parseDepth(request.headers.get("depth"), "infinity");
  const overwrite = parseOverwrite(request.headers.get("overwrite"));
  if (overwrite === undefined) return plain(400, "Overwrite must be T or F.");
  const path = destinationPath(request);
  if (typeof path !== "string") return path;
  const source = existing(dav, request.path);
  if (isAnswer(source)) return source;
  const target = placeFor(dav, path);
  if (isAnswer(target)) return target;
  const wrong = depthFits(depth, move, source) ?? endsFit(source, target, depth);
  if (wrong) return wrong;
  if (target.kind !== "none" && !overwrite)
    return plain(412, "There is something at the destination already.");

  const claims: Claim[] = [
    ...(move ? [{ key: source.file, reach: "tree" } as const, ...parentClaim(source)] : []),
    { key: target.file, reach: target.kind === "none" ? "itself" : "tree" },
    ...parentClaim(target),
  ];
  return guard(dav, request, caller, source, claims) ?? { move, source, target, deep: depth !== 0 };
}

function depthFits(
  depth: Depth | undefined,
  move: boolean,
  source: Resource,
): HttpResponse | undefined {
  const fits = depth === "infinity" || (depth === 0 && (!move || !isDirectory(source)));
  return fits ? undefined : plain(400, "That Depth does not go with this method.");
}

function endsFit(
  source: Resource,
  target: Resource,
  depth: Depth | undefined,
): HttpResponse | undefined {
  if (source.kind === "special" || target.kind === "special")
    return plain(403, "This is not an ordinary file.");
  if (source.file === target.file) return plain(403, "Source and destination are the same.");
  if (depth !== 0 && source.kind === "collection" && within(target.file, source.key))
    return plain(403, "A collection cannot come to be within itself.");
  if (within(source.file, target.file))
    return plain(403, "The destination holds the source: it would be deleted first.");
  return undefined;
}

function destinationPath(request: HttpRequest): string | HttpResponse {
  const reference = parseReference(request.headers.get("destination"));
  const path = reference && decodeTarget(reference.target)?.path;
  if (!reference || path === undefined)
    return plain(400, "The Destination header is missing or cannot be read.");
  const here = request.headers.get("host") ?? request.host;
  if (reference.authority !== undefined && !sameAuthority(reference.authority, here))
    return plain(502, "The destination is on another server.");
  return path;
}

function memberOf(source: Resource, from: string, { file, status }: Stuck): MemberStatus {
  return { href: href(source.path + file.slice(from.length), false), status };
}

function isDirectory(resource: Resource): boolean {
  return resource.kind === "collection" && !resource.located.link;
}

function isCrossDevice(failed: unknown): boolean {
  return failed instanceof Error && "code" in failed && failed.code === "EXDEV";
}
