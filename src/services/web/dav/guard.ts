import { plain } from "../../../net/dav/answers.ts";
import { type Claim, locked, type LockView } from "../../../net/dav/locking.ts";
import { parseReference, sameAuthority } from "../../../wire/dav/destination.ts";
import { holds, parseIf, type ResourceState } from "../../../wire/dav/if-header.ts";
import { evaluate } from "../../../wire/http/conditional.ts";
import type { HttpRequest, HttpResponse } from "../../../wire/http/message.ts";
/** May this request change what it wants to change? Conditions of RFC 9110, 13 and RFC 4918, 10.4, and locks. */
import { decodeTarget } from "../../../wire/http/path.ts";
import type { Caller, DavContext } from "./context.ts";
import { etagsIn, find, hrefOfKey, type Resource } from "./resource.ts";

/**
 * Undefined when it may. Runs before a body is read, so that nobody uploads in vain, and again
 * within `store.exclusively`, where its verdict cannot grow old: so it never waits.
 */
export function guard(
  dav: DavContext,
  request: HttpRequest,
  caller: Caller,
  target: Resource,
  claims: readonly Claim[],
): HttpResponse | undefined {
  const conditions = conditional(request, target);
  if (conditions) return conditions;

  const text = request.headers.get("if");
  const header = text === null ? [] : parseIf(text);
  if (!header) return plain(400, "The If header cannot be read.");
  if (header.length > 0 && !holds(header, (uri) => stateOf(dav, request, target, uri)))
    return plain(412, "The If header does not hold.");
  return dav.config.locks ? locked(viewOf(dav, caller), header, claims) : undefined;
}

function conditional(request: HttpRequest, target: Resource): HttpResponse | undefined {
  const { method, headers } = request;
  const { stats, kind } = target;
  const lastModified = kind === "file" ? stats?.mtimeMs : undefined;
  const verdict = evaluate({
    method,
    headers,
    etag: etagsIn(`${headers.get("if-match")},${headers.get("if-none-match")}`, stats)[0],
    lastModified,
    exists: kind !== "none",
  });
  return verdict === "go" ? undefined : plain(412, "A condition of the request does not hold.");
}

function stateOf(
  dav: DavContext,
  request: HttpRequest,
  target: Resource,
  uri: string | undefined,
): ResourceState | undefined {
  const resource = uri === undefined ? target : referredTo(dav, request, uri);
  if (!resource) return undefined;
  const locks = dav.config.locks ? dav.store().locks.covering(resource.key) : [];
  const named = request.headers.get("if") ?? "";
  return { etags: etagsIn(named, resource.stats), tokens: locks.map((l) => l.token) };
}

function referredTo(dav: DavContext, request: HttpRequest, uri: string): Resource | undefined {
  const reference = parseReference(uri);
  if (!reference) return undefined;
  const { authority } = reference;
  const here = request.headers.get("host") ?? request.host;
  if (authority !== undefined && !sameAuthority(authority, here)) return undefined;
  const path = decodeTarget(reference.target)?.path;
  const found = path === undefined ? "missing" : find(dav.tree, path);
  return typeof found === "string" ? undefined : found;
}

/** The locks, as `caller` sees them. */
export function viewOf(dav: DavContext, caller: Caller): LockView {
  return {
    locks: dav.store().locks,
    user: caller.user,
    hrefOf: (lock) => hrefOfKey(dav.tree, lock.path, lock.collection),
  };
}
