/** LOCK and UNLOCK (RFC 4918, 9.10 and 9.11). */
import { closeSync, openSync } from "node:fs";

import { fsyncDirectory } from "../../../sys/durable.ts";
import { parseDepth } from "../../../wire/dav/depth.ts";
import { href } from "../../../wire/dav/href.ts";
import { parseIf, submitted } from "../../../wire/dav/if-header.ts";
import { type LockInfo, parseLockInfo } from "../../../wire/dav/lock-info.ts";
import { emitLockToken, parseLockToken } from "../../../wire/dav/lock-token.ts";
import { conditionElement, davElement, PROLOGUE } from "../../../wire/dav/multistatus.ts";
import { DAV } from "../../../wire/dav/property-name.ts";
import { parseTimeout } from "../../../wire/dav/timeout.ts";
import { type HttpRequest, type HttpResponse, respond } from "../../../wire/http/message.ts";
import { multistatus, plain, refuse, xml } from "./answers.ts";
import type { Caller, DavContext } from "./context.ts";
import { guard, holdsLock } from "./guard.ts";
import { lockDiscovery } from "./live-properties.ts";
import type { Lock } from "./locks.ts";
import { existing, isAnswer, parentClaim, placeFor } from "./place.ts";
import { readXml } from "./read-xml.ts";
import { hrefOfKey, type Resource } from "./resource.ts";

/** For who does not say; clients refresh long before. */
const DEFAULT_SECONDS = 3600;
/** Whatever is wished for: a lock that its holder forgot must end some day. */
const MAX_SECONDS = 24 * 3600;

export async function lock(
  dav: DavContext,
  request: HttpRequest,
  caller: Caller,
): Promise<HttpResponse> {
  const body = await readXml(request);
  switch (body.kind) {
    case "refused":
      return body.answer;
    case "empty":
      return await refresh(dav, request, caller);
    case "xml": {
      const info = parseLockInfo(body.root);
      return info ? await take(dav, request, caller, info) : plain(400, "The body is no lockinfo.");
    }
  }
}

async function take(
  dav: DavContext,
  request: HttpRequest,
  caller: Caller,
  info: LockInfo,
): Promise<HttpResponse> {
  const depth = parseDepth(request.headers.get("depth"), "infinity");
  if (depth === undefined || depth === 1) return plain(400, "Depth must be 0 or infinity.");
  const store = dav.store();
  const token = `urn:uuid:${crypto.randomUUID()}`; // RFC 4918, 6.5
  const taken = await store.exclusively((): HttpResponse | Resource => {
    const place = placeFor(dav, request.path);
    if (isAnswer(place)) return place;
    if (place.kind === "special") return plain(403, "This is not an ordinary file.");
    const refused =
      guard(dav, request, caller, place, place.kind === "none" ? parentClaim(place) : []) ??
      conflict(dav, place, info, depth === "infinity");
    if (refused) return refused;
    if (place.kind === "none") makeEmpty(dav, place);
    store.locks.add({
      token,
      path: place.key,
      owner: info.owner,
      user: caller.user ?? "",
      collection: place.kind === "collection",
      exclusive: info.scope === "exclusive",
      infinite: depth === "infinity",
      expires: endOf(dav, request),
    });
    return place;
  });
  if (isAnswer(taken)) return taken;

  const fresh = taken.kind === "none";
  if (fresh) dav.onChange(taken.path);
  if (fresh) await fsyncDirectory(taken.directory);
  return discovery(dav, taken, fresh ? 201 : 200, [["Lock-Token", emitLockToken(token)]]);
}

/** RFC 4918, 7.3: a lock on a name nothing has makes an empty resource there. */
function makeEmpty(dav: DavContext, place: Resource): void {
  dav.store().properties.removeTree(place.key);
  closeSync(openSync(place.file, "wx"));
}

/** Locks that cannot be together with the wished one (6.1 and the table in 6.2). */
function conflict(
  dav: DavContext,
  place: Resource,
  info: LockInfo,
  infinite: boolean,
): HttpResponse | undefined {
  const { locks } = dav.store();
  const against = (l: Lock): boolean => l.exclusive || info.scope === "exclusive";
  const hrefOf = (l: Lock): string => hrefOfKey(dav.tree, l.path, l.collection);
  const above = locks.covering(place.key).filter(against);
  if (above.length > 0) return refuse(423, "no-conflicting-lock", above.map(hrefOf));
  const members = infinite ? locks.beneath(place.key).filter(against) : [];
  if (members.length === 0) return undefined;
  const hrefs = [...new Set(members.map(hrefOf))];
  // 9.10.9: the members are at fault, the collection only depends on them.
  return multistatus([
    ...hrefs.map((at) => ({
      href: at,
      status: 423,
      error: conditionElement("no-conflicting-lock", [at]),
    })),
    { href: href(place.path, true), status: 424 },
  ]);
}

/** A LOCK without body gives the lock named in If a new end (9.10.2). */
async function refresh(
  dav: DavContext,
  request: HttpRequest,
  caller: Caller,
): Promise<HttpResponse> {
  const tokens = submitted(parseIf(request.headers.get("if") ?? "") ?? []);
  if (tokens.size === 0) return plain(400, "To refresh a lock, name its token in If.");
  const store = dav.store();
  return await store.exclusively(() => {
    const resource = meant(dav, request, caller);
    if (isAnswer(resource)) return resource;
    const mine = store.locks
      .covering(resource.key)
      .filter((l) => tokens.has(l.token) && holdsLock(l, caller));
    if (mine.length === 0) return refuse(412, "lock-token-matches-request-uri");
    for (const { token } of mine) store.locks.extend(token, endOf(dav, request));
    return discovery(dav, resource, 200, []);
  });
}

export async function unlock(
  dav: DavContext,
  request: HttpRequest,
  caller: Caller,
): Promise<HttpResponse> {
  const token = parseLockToken(request.headers.get("lock-token"));
  if (token === undefined) return plain(400, "The Lock-Token header is missing or cannot be read.");
  const store = dav.store();
  return await store.exclusively(() => {
    const resource = meant(dav, request, caller);
    if (isAnswer(resource)) return resource;
    const held = store.locks.covering(resource.key).find((l) => l.token === token);
    if (!held) return refuse(409, "lock-token-matches-request-uri");
    if (!holdsLock(held, caller)) return plain(403, "Somebody else holds this lock.");
    store.locks.remove(token);
    return respond(204);
  });
}

/** The resource whose lock the request is about, when nothing forbids it. */
function meant(dav: DavContext, request: HttpRequest, caller: Caller): Resource | HttpResponse {
  const resource = existing(dav, request.path);
  if (isAnswer(resource)) return resource;
  return guard(dav, request, caller, resource, []) ?? resource;
}

/** When the lock is to end, in milliseconds since 1970. */
function endOf(dav: DavContext, request: HttpRequest): number {
  const wish = parseTimeout(request.headers.get("timeout")) ?? DEFAULT_SECONDS;
  return dav.now() + Math.min(Math.max(wish, 1), MAX_SECONDS) * 1000;
}

function discovery(
  dav: DavContext,
  resource: Resource,
  status: number,
  headers: HttpResponse["headers"],
): HttpResponse {
  const locks = davElement("lockdiscovery", lockDiscovery(dav, resource.key));
  return xml(status, `${PROLOGUE}<D:prop xmlns:D="${DAV}">${locks}</D:prop>\n`, headers);
}
