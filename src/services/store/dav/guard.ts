/** May a request change what it wants to change? Conditions of RFC 9110, 13 and RFC 4918, 10.4, and locks. */
import { plain } from "../../../net/dav/answers.ts";
import { type Claim, locked } from "../../../net/dav/locking.ts";
import { parseReference, sameAuthority } from "../../../wire/dav/destination.ts";
import { holds, type IfHeader, parseIf, type ResourceState } from "../../../wire/dav/if-header.ts";
import type { HttpResponse } from "../../../wire/http/message.ts";
import { decodeTarget } from "../../../wire/http/path.ts";
import { etagOf, mayChange } from "../answer.ts";
import type { Version } from "../record.ts";
import type { Node } from "../tree/tree.ts";
import { type Call, type DavContext, viewOf } from "./context.ts";
import type { Place } from "./place.ts";

/**
 * Undefined when it may. Runs before a body is read, so that nobody uploads in vain; `stillMay` is
 * for the moment in which nobody else can change the name.
 */
export async function guard(
  dav: DavContext,
  call: Call,
  target: Place,
  claims: readonly Claim[],
): Promise<HttpResponse | undefined> {
  const { request } = call;
  const { node } = target;
  if (!mayChange(request, node?.kind === "file" ? node.version : undefined, node !== undefined))
    return failed();
  const header = headerOf(call);
  if (!header) return plain(400, "The If header cannot be read.");
  if (header.length > 0) {
    const states = await statesOf(dav, call, target, header);
    if (!holds(header, (uri) => states.get(uri))) return plain(412, "The If header does not hold.");
  }
  return locked(viewOf(dav, call), header, claims);
}

/** The same of one file whose newest version is `newest`, without waiting for anybody. */
export function stillMay(
  dav: DavContext,
  call: Call,
  newest: Version | undefined,
  claims: readonly Claim[],
): HttpResponse | undefined {
  if (!mayChange(call.request, newest)) return failed();
  return locked(viewOf(dav, call), headerOf(call) ?? [], claims);
}

function failed(): HttpResponse {
  return plain(412, "A condition of the request does not hold.");
}

function headerOf({ request }: Call): IfHeader | undefined {
  const text = request.headers.get("if");
  return text === null ? [] : parseIf(text);
}

/** What the resources that the header names are like. Those that are not there have no state. */
async function statesOf(
  dav: DavContext,
  call: Call,
  target: Place,
  header: IfHeader,
): Promise<ReadonlyMap<string | undefined, ResourceState>> {
  const states = new Map<string | undefined, ResourceState>();
  states.set(undefined, stateOf(dav, target.path, target.node));
  for (const { resource: uri } of header) {
    if (uri === undefined || states.has(uri)) continue;
    const named = referredTo(dav, call, uri);
    if (named === undefined) continue;
    states.set(uri, stateOf(dav, named.path, await dav.tree.node(named.view, named.path)));
  }
  return states;
}

function stateOf(dav: DavContext, path: string, node: Node | undefined): ResourceState {
  const etag = node?.kind === "file" ? etagOf(node.version) : undefined;
  const tokens = dav
    .store()
    .locks.covering(path)
    .map(({ token }) => token);
  return { etags: etag === undefined ? [] : [etag], tokens };
}

function referredTo(
  dav: DavContext,
  { request }: Call,
  uri: string,
): Pick<Call, "view" | "path"> | undefined {
  const named = readReference(dav, request, uri);
  return named === undefined || named === "elsewhere" ? undefined : named;
}

/** A URL in a header as a path of this store. "elsewhere": it is on another server. */
export function readReference(
  dav: DavContext,
  request: Call["request"],
  text: string | null,
): Pick<Call, "view" | "path" | "slash"> | "elsewhere" | undefined {
  const reference = parseReference(text);
  const read = reference && decodeTarget(reference.target);
  if (!reference || !read) return undefined;
  const here = request.authority ?? request.headers.get("host") ?? request.host;
  if (reference.authority !== undefined && !sameAuthority(reference.authority, here))
    return "elsewhere";
  const asked = dav.read({ path: read.path, target: reference.target });
  if (asked === "bad" || !dav.tree.has(asked.stage)) return undefined;
  return { view: asked.stage, ...withoutSlash(asked.path) };
}

/** A path, and whether it came with a slash at its end. */
export function withoutSlash(path: string): Pick<Call, "path" | "slash"> {
  const slash = path.endsWith("/");
  return { path: slash && path !== "/" ? path.slice(0, -1) : path, slash };
}
