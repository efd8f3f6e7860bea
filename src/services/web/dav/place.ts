import { plain } from "../../../net/dav/answers.ts";
import type { Claim } from "../../../net/dav/locking.ts";
/** Where something new may come to be. */
import type { HttpResponse } from "../../../wire/http/message.ts";
import { type Refusal, statusOf } from "../tree.ts";
import type { DavContext } from "./context.ts";
import { find, hasParent, type Resource } from "./resource.ts";

/** A resource that is there, or the answer that says why not. */
export function existing(dav: DavContext, path: string): Resource | HttpResponse {
  const found = find(dav.tree, path);
  if (typeof found === "string") return refusal(found);
  const isFolder = found.kind === "collection";
  const missing = found.kind === "none" || (found.located.slash && !isFolder);
  return missing ? plain(404, "There is nothing here.") : found;
}

/** A resource that is there or could be made: its collection exists. */
export function placeFor(dav: DavContext, path: string): Resource | HttpResponse {
  const found = find(dav.tree, path);
  // RFC 4918, 9.7.1: a collection missing on the way is a conflict, not a 404.
  if (found === "missing") return noParent();
  if (typeof found === "string") return plain(403, "This path is not open to writing.");
  return found.kind === "none" && !hasParent(found) ? noParent() : found;
}

/** Telling answers from resources. */
export function isAnswer(it: Resource | HttpResponse): it is HttpResponse {
  return "status" in it;
}

/** The collection it is, or would be, a member of. The root has none. */
export function parentClaim(resource: Resource): Claim[] {
  return resource.path === "/" ? [] : [{ key: resource.directory, reach: "itself" }];
}

function noParent(): HttpResponse {
  return plain(409, "The collection it would be in does not exist.");
}

function refusal(why: Refusal): HttpResponse {
  const status = statusOf(why);
  return plain(status, status === 403 ? "This path is not open." : "There is nothing here.");
}
