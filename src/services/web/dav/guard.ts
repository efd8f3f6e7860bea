import { parseReference, sameAuthority } from "../../../wire/dav/destination.ts";
import {
  holds,
  type IfHeader,
  parseIf,
  type ResourceState,
  submitted,
} from "../../../wire/dav/if-header.ts";
import { conditionElement } from "../../../wire/dav/multistatus.ts";
import { evaluate } from "../../../wire/http/conditional.ts";
import type { HttpRequest, HttpResponse } from "../../../wire/http/message.ts";
/** May this request change what it wants to change? Conditions of RFC 9110, 13 and RFC 4918, 10.4, and locks. */
import { decodeTarget } from "../../../wire/http/path.ts";
import { multistatus, plain, refuse } from "./answers.ts";
import type { Caller, DavContext } from "./context.ts";
import type { Lock } from "./locks.ts";
import { etagsIn, find, hrefOfKey, type Resource } from "./resource.ts";

/** What a method is about to change: a resource itself, or all beneath it too. */
export interface Claim {
  readonly key: string;
  readonly reach: "itself" | "tree";
}

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
  return dav.config.locks ? locked(dav, caller, header, claims) : undefined;
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

/** Every resource claimed needs a token of one of the locks it is under (RFC 4918, 7). */
function locked(
  dav: DavContext,
  caller: Caller,
  header: IfHeader,
  claims: readonly Claim[],
): HttpResponse | undefined {
  const { locks } = dav.store();
  const tokens = submitted(header);
  const open = (on: readonly Lock[]): boolean =>
    on.length === 0 || on.some((l) => tokens.has(l.token) && holdsLock(l, caller));
  const hrefOf = (l: Lock): string => hrefOfKey(dav.tree, l.path, l.collection);

  const members = new Set<string>();
  for (const { key, reach } of claims) {
    const above = locks.covering(key);
    if (!open(above)) return refuse(423, "lock-token-submitted", above.map(hrefOf));
    if (reach === "itself") continue;
    for (const lock of locks.beneath(key))
      if (!open(locks.covering(lock.path))) members.add(hrefOf(lock));
  }
  if (members.size === 0) return undefined;
  return multistatus(
    [...members].map((href) => ({
      href,
      status: 423,
      error: conditionElement("lock-token-submitted", [href]),
    })),
  );
}

/** A token is of use only to who took the lock (6.4), where that is known. */
export function holdsLock(lock: Lock, caller: Caller): boolean {
  return lock.user === "" || lock.user === caller.user;
}
