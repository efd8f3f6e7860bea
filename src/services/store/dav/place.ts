/** What is where a request points, and where something new may come to be. */
import { plain } from "../../../net/dav/answers.ts";
import type { Claim } from "../../../net/dav/locking.ts";
import type { HttpResponse } from "../../../wire/http/message.ts";
import { isReserved, type Node, type View } from "../tree/tree.ts";
import type { Call, DavContext } from "./context.ts";

/** A path, and what is there now. */
export interface Place {
  readonly path: string;
  readonly node: Node | undefined;
}

/** Telling answers from whatever else it may be. */
export function isAnswer(it: object): it is HttpResponse {
  return "status" in it;
}

/** What is there, or the answer that nothing is. */
export async function existing(
  dav: DavContext,
  { view, path, slash }: Call,
): Promise<(Place & { readonly node: Node }) | HttpResponse> {
  const node = isReserved(path) ? undefined : await dav.tree.node(view, path);
  if (node === undefined || (slash && node.kind === "file"))
    return plain(404, "There is nothing here.");
  return { path, node };
}

/** What is there, or could be: the collection it is or would be in is there. */
export async function placeFor(
  dav: DavContext,
  view: View,
  path: string,
): Promise<Place | HttpResponse> {
  if (isReserved(path)) return plain(403, "This name is not open to writing.");
  const node = await dav.tree.node(view, path);
  if (node !== undefined) return { path, node };
  // RFC 4918, 9.7.1. Under a stage's own name parents are made by themselves, as 3fsd had it.
  const parent = parentOf(path);
  const there =
    view !== "any" || parent === "/" || (await dav.tree.node(view, parent))?.kind === "collection";
  return there ? { path, node } : plain(409, "The collection it would be in does not exist.");
}

/** `/a/b` is in `/a`, `/a` in `/`. */
export function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/")) || "/";
}

/** The collection it is, or would be, a member of. The root has none. */
export function parentClaim(path: string): Claim[] {
  return path === "/" ? [] : [{ key: parentOf(path), reach: "itself" }];
}
